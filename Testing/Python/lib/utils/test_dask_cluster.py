"""Connecting to a Dask cluster, and what is said where there is none or it does not suit."""

from __future__ import annotations

import sys

import pytest
from phantoms import Phantom
from SkullGANLib import cli
from SkullGANLib.ct.volume import write_volume
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils import dask_cluster

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    folder = str(tmp_path_factory.mktemp("dask"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, local_directory=folder
    ) as cluster:
        yield cluster.scheduler_address


def test_where_no_scheduler_answers_a_sentence_says_what_an_address_looks_like():
    with (
        pytest.raises(BadInputError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers"),
        dask_cluster.connected("tcp://127.0.0.1:9", timeout_s=1.0),
    ):
        raise AssertionError("there was one")


def test_without_dask_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(BadInputError, match=r"pip install skullgan\[cluster\]"),
        dask_cluster.connected("tcp://127.0.0.1:9"),
    ):
        raise AssertionError("it was imported")


def test_the_threads_of_a_cluster_are_counted(address):
    with dask_cluster.connected(address) as client:
        assert dask_cluster.workers_of(client) == 1


def test_workers_of_another_version_are_refused(address, monkeypatch):
    monkeypatch.setattr("SkullGANLib.__version__", "99")  # here, not in the worker
    with (
        pytest.raises(BadInputError, match=r"has skullgan \d\S*, expected 99 as here"),
        dask_cluster.connected(address),
    ):
        raise AssertionError("versions were not compared")


def test_the_command_extract_cuts_on_the_workers_of_a_cluster(address, tmp_path, capsys):
    ct = Phantom().ct(spacing_mm=(1.5, 1.5, 1.5))
    write_volume(tmp_path / "head.nrrd", ct.hu, ct.ijk_to_ras)
    words = ["extract", str(tmp_path / "head.nrrd"), "-o", str(tmp_path / "s.h5")]
    assert cli.main([*words, "--interval-mm", "12", "--dask", address]) == 0
    assert hdf5.count(tmp_path / "s.h5") > 5
    assert (tmp_path / "s.csv").exists()
