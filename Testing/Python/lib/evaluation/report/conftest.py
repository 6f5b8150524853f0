"""Sets whose metrics are known by construction, and a training as it lies on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.plots import contact_sheet
from SkullGANLib.training import presets
from SkullGANLib.training.run_directory import Run, Status


def walls(dips_hu: list[int]) -> np.ndarray:
    """A segment for each dip: 1500 HU, the dip, 1500 HU, four rows each: SDR is dip / 1500."""
    hu = np.zeros((len(dips_hu), 128, 128), np.int16)
    hu[:, 20:32] = 1500
    hu[:, 24:28] = np.array(dips_hu)[:, None, None]
    return hu


@pytest.fixture
def real() -> SegmentSet:
    """Ten segments of two subjects, SDR 0.30, 0.32, ..., 0.48, thickness 5.4 mm."""
    hu = walls(list(range(450, 750, 30)))
    return SegmentSet(
        hu=hu,
        mask=(hu != 0).astype(np.uint8),
        pixel_to_ras=np.tile(np.eye(4), (10, 1, 1)),
        subject=np.array(["a", "b"] * 5),
        bone=np.array(["temporal"] * 6 + ["parietal"] * 4),
        side=np.array(["left", "right"] * 5),
        plane=np.array(["axial"] * 10),
        seed=np.full(10, -1),
        kind="real",
        source={"scanner": "GE LightSpeed", "kernel": "BONEPLUS", "slice_thickness_mm": 0.625},
    )


@pytest.fixture
def synthetic() -> SegmentSet:
    """Twenty segments, SDR 0.40, 0.42, ..., 0.78, by a network that learned from one kernel."""
    hu = walls(list(range(600, 1200, 30)))
    ct = {"kernel": "BONEPLUS", "slice_thickness_mm": 0.625}
    source = {"recipe": "demo", "trained_on": {"segments": 10, "source": ct}}
    return segment_set.without_patient(hu, hu != 0, np.arange(20), source=source)


@pytest.fixture
def run(tmp_path) -> Run:
    """A finished training, to be changed."""
    return write_run(tmp_path / "run")


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory) -> Run:
    """The same training, for tests that leave it as it is."""
    return write_run(tmp_path_factory.mktemp("runs") / "run")


def write_run(folder: Path) -> Run:
    """Write a training of 100 reports and two sample grids."""
    run = Run.create(folder, presets.named("paper"))
    for iteration in range(0, 1000, 10):
        run.add_event(
            {
                "time": 1.7e9 + iteration,
                "epoch": iteration // 100,
                "iteration": iteration,
                "generator_loss": 2.0,
                "discriminator_loss": iteration / 1000,
                "realness_real": 0.7,
                "realness_fake": 0.25,
                "generator_learning_rate": 3e-4,
                "images_per_s": 50.0,
            }
        )
    run.write_status(Status("finished", pid=1, progress=1.0, message="Trained."))
    for iteration, level in ((90, 500), (990, 1000)):
        contact_sheet.write_contact_sheet(run.sample_path(iteration), walls([level] * 4))
    return run
