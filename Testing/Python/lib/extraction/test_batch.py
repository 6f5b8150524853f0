import csv
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from SkullGANLib.ct import volume
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.extraction import batch, batch_table

FAST = {
    "bones": ["temporal"],
    "planes": ["axial"],
    "interval_mm": 12.4,
    "spacing_mm": 0.45,
    "threshold_hu": None,
}
PLANTED = "Doe, Jane 'JD' \"19700101\" größer"


class Counting(ThreadPoolExecutor):
    """An executor that counts what it was given."""

    submitted = 0

    def submit(self, *arguments, **named):
        self.submitted += 1
        return super().submit(*arguments, **named)


@pytest.fixture(scope="session")
def two_cts(coarse_head, tmp_path_factory) -> list[Path]:
    """Two CTs in files whose names say more than they should."""
    folder = tmp_path_factory.mktemp("cts")
    paths = [folder / f"{PLANTED} {number}.nrrd" for number in (1, 2)]
    for number, path in enumerate(paths):
        hu = coarse_head.hu + np.int16(number)
        volume.write_volume(path, hu, coarse_head.ijk_to_ras, compress=False)
    return paths


@pytest.fixture(scope="session")
def by_two_processes(two_cts, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("batch") / "set.h5"
    batch.run(two_cts, output, FAST, jobs=2)
    return output


@pytest.fixture
def begun(by_two_processes, tmp_path) -> Path:
    """A copy of the finished batch."""
    for path in (by_two_processes, batch_table.table_of(by_two_processes)):
        shutil.copy(path, tmp_path)
    return tmp_path / by_two_processes.name


def run_in_threads(paths, output, settings=FAST, **options):
    with Counting(2) as executor:
        rows = batch.run(paths, output, settings, executor=executor, **options)
    return rows, executor.submitted


def states(rows):
    return [row.state for row in rows]


def test_the_set_and_its_order_do_not_depend_on_how_many_work_at_a_time(
    two_cts, by_two_processes, tmp_path
):
    batch.run(two_cts, tmp_path / "one.h5", FAST, jobs=1)
    assert (tmp_path / "one.h5").read_bytes() == by_two_processes.read_bytes()
    found = hdf5.read(by_two_processes)
    named = [volume.pseudonym(volume.read_ct(path)) for path in two_cts]
    assert list(dict.fromkeys(found.ct.tolist())) == named
    assert list(found.source["cts"]) == sorted(named)


def test_the_table_has_a_row_a_ct_and_no_file_name_is_in_the_set(two_cts, by_two_processes):
    with open(batch_table.table_of(by_two_processes), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ct"] for row in rows] == list(map(str, two_cts))
    assert [row["state"] for row in rows] == ["done", "done"]
    assert sum(int(row["segments"]) for row in rows) == hdf5.count(by_two_processes)
    for part in ("Doe", "Jane", "19700101", "größer", ".nrrd"):
        assert part.encode() not in by_two_processes.read_bytes()


def test_a_second_call_cuts_nothing_and_leaves_the_set_as_it_is(two_cts, begun):
    before = begun.read_bytes()
    rows, submitted = run_in_threads(two_cts, begun)
    assert submitted == 0
    assert states(rows) == ["done", "done"]
    assert begun.read_bytes() == before


def test_a_failure_stops_nothing_and_says_why_and_is_tried_again(
    two_cts, by_two_processes, tmp_path
):
    broken = tmp_path / "broken.nrrd"
    broken.write_bytes(b"no picture")
    named = [two_cts[0], broken, tmp_path / "nowhere", two_cts[1]]
    rows, _ = run_in_threads(named, tmp_path / "set.h5")
    assert states(rows) == ["done", "failed", "failed", "done"]
    assert "broken.nrrd: cannot be read" in rows[1].reason
    assert "nowhere: there is no such file" in rows[2].reason
    assert (tmp_path / "set.h5").read_bytes() == by_two_processes.read_bytes()
    _, submitted = run_in_threads(named, tmp_path / "set.h5")
    assert submitted == 2


def test_a_batch_that_was_stopped_goes_on_to_the_same_bytes(two_cts, by_two_processes, tmp_path):
    ready = []
    with pytest.raises(CancelledError, match="1 of 2 CTs are left"):
        batch.run(
            two_cts,
            tmp_path / "set.h5",
            FAST,
            executor=ThreadPoolExecutor(1),
            on_row=ready.append,
            should_stop=lambda: bool(ready),
        )
    assert 0 < hdf5.count(tmp_path / "set.h5") < hdf5.count(by_two_processes)
    _, submitted = run_in_threads(two_cts, tmp_path / "set.h5")
    assert submitted == 1
    assert (tmp_path / "set.h5").read_bytes() == by_two_processes.read_bytes()


def test_a_crash_between_set_and_table_adds_nothing_twice(two_cts, begun):
    table = batch_table.table_of(begun)
    table.write_text(table.read_text("utf-8").replace(",done,", ",waiting,", 1), "utf-8")
    before = begun.read_bytes()
    rows, submitted = run_in_threads(two_cts, begun)
    assert submitted == 1
    assert [row.reason for row in rows] == ["was in the set already", ""]
    assert sum(row.segments for row in rows) == hdf5.count(begun)
    assert begun.read_bytes() == before


def test_a_worker_that_is_killed_fails_its_own_ct_alone(two_cts, tmp_path):
    rows = []
    running = threading.Thread(
        target=lambda: rows.extend(batch.run(two_cts, tmp_path / "set.h5", FAST, jobs=1))
    )
    running.start()
    limit_s = time.monotonic() + 60
    while not (workers := multiprocessing.active_children()) and time.monotonic() < limit_s:
        time.sleep(0.01)
    os.kill(workers[0].pid, signal.SIGKILL)
    running.join(120)
    assert not running.is_alive()
    assert states(rows) == ["failed", "done"]
    assert "its process was killed" in rows[0].reason
    assert not multiprocessing.active_children()


def test_the_same_voxels_under_another_name_are_not_added_twice(two_cts, begun, tmp_path):
    copy = shutil.copy(two_cts[0], tmp_path / "copy.nrrd")
    before = begun.read_bytes()
    rows, submitted = run_in_threads([*two_cts, copy], begun)
    assert submitted == 1
    assert (rows[2].state, rows[2].segments) == ("done", 0)
    assert rows[2].reason == f"the same voxels as {two_cts[0]}, not added again"
    assert begun.read_bytes() == before


def test_a_ct_that_changed_since_is_refused_until_begun_anew(two_cts, begun, tmp_path):
    """The second CT's file now stands where the table knows the first's."""
    moved, before = shutil.copy(two_cts[1], tmp_path / "moved.nrrd"), begun.read_bytes()
    with open(batch_table.table_of(begun), encoding="utf-8", newline="") as file:
        header, first, second = csv.reader(file)
    with open(batch_table.table_of(begun), "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, [str(moved), *first[1:]]])
    (row,), _ = run_in_threads([moved], begun)
    assert "has changed since it was cut" in row.reason
    assert begun.read_bytes() == before
    (row,), _ = run_in_threads([moved], begun, overwrite=True)
    assert (row.state, row.segments) == ("done", hdf5.count(begun))
    assert row.pseudonym in second


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"interval_mm": 6.2}, "was begun with interval_mm 12.4, 6.2 was given"),
        ({"planes": ["coronal"]}, r"was begun with planes \['axial'\]"),
        ({"bones": ["nasal"]}, "'nasal' is not known"),
    ],
)
def test_other_settings_are_refused_and_change_nothing(two_cts, begun, change, sentence):
    before = begun.read_bytes(), batch_table.table_of(begun).read_bytes()
    with pytest.raises(BadInputError, match=sentence):
        run_in_threads(two_cts, begun, {**FAST, **change})
    assert (begun.read_bytes(), batch_table.table_of(begun).read_bytes()) == before


def test_another_subject_a_ct_named_twice_and_a_strange_table_are_refused(two_cts, begun):
    for paths, options, sentence in (
        (two_cts, {"subjects": ["A", "B"]}, "A was given now"),
        ([two_cts[0]] * 2, {}, "was named twice"),
        (two_cts, {"jobs": 0}, "number of jobs is 0"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            run_in_threads(paths, begun, **options)
    batch_table.table_of(begun).write_text("my,own\n1,2\n")
    with pytest.raises(BadInputError, match="is not the table of a batch"):
        run_in_threads(two_cts, begun)
    assert batch_table.table_of(begun).read_text() == "my,own\n1,2\n"
    batch_table.table_of(begun).unlink()
    with pytest.raises(BadInputError, match="is no batch"):
        run_in_threads(two_cts, begun)


def test_dasks_executor_plugs_in(two_cts, by_two_processes, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        rows = batch.run(two_cts, tmp_path / "set.h5", FAST, executor=client.get_executor())
    assert states(rows) == ["done", "done"]
    assert (tmp_path / "set.h5").read_bytes() == by_two_processes.read_bytes()


def test_ctrl_c_ends_the_command_and_its_workers_with_exit_code_2(two_cts, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "SkullGANLib", "extract", *two_cts, "-o", tmp_path / "set.h5",
         "--jobs", "2"],
        cwd=ROOT / "SkullGAN", stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        while process.poll() is None and not (tmp_path / "set.csv").exists():
            time.sleep(0.02)
        time.sleep(0.2)  # the workers are being started
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: parent and workers
        _, said = process.communicate(timeout=60)  # until no worker holds stderr any more
    finally:
        process.kill()
    assert process.returncode == 2, said
    assert "2 of 2 CTs are left" in said
    assert len(said.splitlines()) == 1


def test_a_lock_lets_one_of_two_batches_into_one_output_and_the_set_holds_each_segment_once(
    two_cts, by_two_processes, tmp_path
):
    output = tmp_path / "set.h5"
    first_is_at_work, others_turn_is_over = threading.Event(), threading.Event()

    def wait_for_the_other(*_):
        first_is_at_work.set()
        others_turn_is_over.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_in_threads, two_cts, output, on_row=wait_for_the_other)
        first_is_at_work.wait(60)
        with pytest.raises(BadInputError, match="is being written by this process"):
            batch.run(two_cts, output, FAST)
        others_turn_is_over.set()
        first.result()
    assert output.read_bytes() == by_two_processes.read_bytes()


def test_overwriting_a_set_does_not_remove_a_table_that_is_no_batchs(two_cts, tmp_path):
    table = tmp_path / "set.csv"
    table.write_text("my,own\n1,2\n")
    with pytest.raises(BadInputError, match="is not the table of a batch"):
        run_in_threads(two_cts, tmp_path / "set.h5", overwrite=True)
    assert table.read_text() == "my,own\n1,2\n"
