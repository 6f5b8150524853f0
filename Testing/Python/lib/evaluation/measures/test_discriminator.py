"""What the discriminator says of each set is its own realness, counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import bent_walls, narrow_model
from SkullGANLib.data import segment_set
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.measures import discriminator
from SkullGANLib.evaluation.measures.discriminator import passes_artificial
from SkullGANLib.evaluation.measures.statistics import proportion
from SkullGANLib.networks import model_file


def test_the_share_judged_real_is_counted_from_the_discriminator(sets, found):
    judgment = found.findings_of(discriminator.MEASURE)[""]
    values = judgment.realness["synthetic"]
    with torch.inference_mode():
        images = model_file.from_hu(sets["synthetic"].segments.hu, segment_set.HU_RANGE)
        truth = narrow_model().discriminator.realness(images).numpy()
    np.testing.assert_allclose(values, truth, atol=1e-6)
    assert judgment.share["synthetic"].value == np.mean(values >= 0.5)


@pytest.mark.parametrize(
    ("train", "artificial", "passes"), [(90, 88, True), (90, 95, True), (90, 40, False)]
)
def test_artificial_segments_that_pass_as_often_as_training_ones_are_said_to(
    train, artificial, passes
):
    share = {"train": proportion(train, 100), "artificial": proportion(artificial, 100)}
    assert passes_artificial(share) is passes
    assert not passes_artificial({"train": share["train"]})


def test_the_answer_warns_of_artificial_segments_that_pass_and_of_another_scanner():
    """A discriminator of random weights passes all or nothing of any set."""
    sets = {
        "train": bent_walls(12, 0, source={"scanner": "GE"}),
        "test": bent_walls(12, 1, source={"scanner": "Siemens"}),
        "artificial": bent_walls(12, 2, "artificial"),
    }
    inputs = _inputs(evaluation_set.prepare_sets(sets), narrow_model(), 0, {})
    judged = discriminator.MEASURE.run(inputs, "", lambda share: None)
    alike = {name: np.full(12, 0.9) for name in sets}
    shares = dict.fromkeys(sets, proportion(12, 12))
    found = {"": replace(judged, realness=alike, share=shares)}
    [statement] = discriminator.MEASURE.describe(inputs, found).statements
    assert statement.short.startswith("No: it passes artificial segments")
    assert "another scanner (GE and Siemens)" in " ".join(statement.reasons)


def test_intervals_of_shares_know_that_segments_of_a_subject_resemble_each_other():
    """Of four subjects, two are judged real throughout, two not at all."""
    subjects = np.repeat(["a", "b", "c", "d"], 25)
    one = replace(bent_walls(4, 0)[np.arange(100) % 4], subject=subjects)
    inputs = _inputs(evaluation_set.prepare_sets({"test": one}), narrow_model(), 0, {})
    hits = np.isin(subjects, ["a", "b"])
    share = discriminator.proportion_by(hits, discriminator.alike(inputs.compared["test"]))
    assert share.value == 0.5
    assert share.high - share.low > 3 * (proportion(50, 100).high - proportion(50, 100).low)
