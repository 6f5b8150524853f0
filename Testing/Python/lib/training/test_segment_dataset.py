"""Segments of a file one by one: what each holds, batches, workers, and the split by subject."""

from __future__ import annotations

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import measure
from SkullGANLib.training.segment_dataset import SegmentDataset

COUNT = 12


@pytest.fixture(scope="module")
def walls():
    return bent_walls(COUNT, 0)


@pytest.fixture(scope="module")
def path(walls, tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "walls.h5"
    hdf5.write(path, walls)
    return path


def test_a_segment_has_hu_mask_row_and_the_metrics_that_were_asked_for(walls, path):
    dataset = SegmentDataset(path, metrics=["thickness_mm"])

    item = dataset[5]

    assert len(dataset) == COUNT
    assert dataset.kind == "real"
    assert sorted(item) == ["hu", "mask", "row", "thickness_mm"]
    np.testing.assert_array_equal(item["hu"][0], walls.hu[5])
    np.testing.assert_array_equal(item["mask"][0], walls.mask[5])
    assert (item["hu"].dtype, item["mask"].dtype, item["row"]) == (np.float32, np.uint8, 5)
    assert item["thickness_mm"] == pytest.approx(measure(walls)["thickness_mm"][5], rel=1e-6)
    assert dataset[-1]["row"] == COUNT - 1


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_every_segment_once(path, workers):
    from torch.utils.data import DataLoader

    dataset = SegmentDataset(path, metrics=["sdr_peaks"])
    batches = list(DataLoader(dataset, batch_size=5, shuffle=True, num_workers=workers))

    assert sorted(row for batch in batches for row in batch["row"].tolist()) == list(range(COUNT))
    assert batches[0]["hu"].shape == (5, 1, 128, 128)
    assert batches[0]["sdr_peaks"].shape == (5,)


def test_no_subject_is_on_both_sides_of_a_split(walls, path):
    learned, test = SegmentDataset(path).split(test_share=0.3)

    sides = [{walls.subject[item["row"]] for item in part} for part in (learned, test)]
    assert len(learned) + len(test) == COUNT
    assert sides[0].isdisjoint(sides[1])
    assert all(sides)
    again, rest = learned.split(test_share=0.5)
    assert {item["row"] for item in [*again, *rest]} == {item["row"] for item in learned}


def test_what_is_no_set_or_metric_is_refused(path, tmp_path):
    with pytest.raises(BadInputError, match=r"gone\.h5: there is no such file"):
        SegmentDataset(tmp_path / "gone.h5")
    with pytest.raises(BadInputError, match="found 'weight_kg'"):
        SegmentDataset(path, metrics=["weight_kg"])
