"""Generation on a real Dask cluster of two processes, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from examples import TINY
from SkullGANLib import cli
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import cluster as generation_cluster
from SkullGANLib.generation.cluster import ClusterGeneration
from SkullGANLib.generation.set_file import generate_file
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import networks
from SkullGANLib.networks.model_file import Model
from SkullGANLib.utils.dask_cluster import connected

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory):
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:
        yield found


@pytest.fixture(scope="module")
def model_path(tmp_path_factory) -> Path:
    generator, discriminator = networks(TINY.architecture)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    model_file.write(
        path,
        Model(
            generator=generator.eval(),
            discriminator=discriminator.eval(),
            hu_range=(-1000.0, 2000.0),
            pixel_spacing_mm=0.45,
            recipe={},
            trained_on={},
        ),
    )
    return path


def test_a_file_made_on_dask_is_that_of_one_machine_though_a_worker_is_killed_on_the_way(
    dask_cluster, model_path, tmp_path, monkeypatch
):
    monkeypatch.setattr(generation_cluster, "_SEGMENTS_A_PART", 8)
    alone, together = tmp_path / "alone.h5", tmp_path / "together.h5"
    settings = {"count": 90, "batch_size": 4, "first_seed": 5}
    generate_file(alone, model_path, device="cpu", **settings)
    killed: list[int] = []

    def kill_one(made: int) -> None:
        if made >= 16 and not killed:
            worker = next(iter(dask_cluster.workers.values()))
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    with connected(dask_cluster.scheduler_address) as client:
        made = ClusterGeneration(client, model_path, "cpu")
        generate_file(
            together,
            model_path,
            device=made.device,
            precision=made.precision,
            elsewhere=made.batches,
            on_progress=kill_one,
            **settings,
        )
    assert killed
    assert together.read_bytes() == alone.read_bytes()


def test_a_file_begun_on_one_machine_is_completed_on_dask_by_the_command(
    dask_cluster, model_path, tmp_path
):
    command = ["generate", str(model_path), "-n", "20", "--batch-size", "4", "--device", "cpu"]
    begun, whole = tmp_path / "begun.h5", tmp_path / "whole.h5"
    assert cli.main([*command, "-o", str(whole)]) == 0

    def stop(made: int) -> None:
        if made >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_file(begun, model_path, count=20, batch_size=4, device="cpu", on_progress=stop)
    dask = ["--dask", dask_cluster.scheduler_address, "--resume"]
    assert cli.main([*command, "-o", str(begun), *dask]) == 0
    one, other = hdf5.read(begun), hdf5.read(whole)
    assert (one.hu == other.hu).all()
    assert one.seed.tolist() == other.seed.tolist() == list(range(20))


def test_a_device_that_the_workers_lack_is_said_in_a_sentence(dask_cluster, model_path):
    with (
        connected(dask_cluster.scheduler_address) as client,
        pytest.raises(BadInputError, match="cuda"),
    ):
        ClusterGeneration(client, model_path, "cuda:7")
