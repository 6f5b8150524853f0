"""What the discriminator says of each set is its own realness, counted."""

import numpy as np
import torch
from examples import four_sets, narrow_model
from SkullGANLib.data import segment_set
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.measures import discriminator
from SkullGANLib.networks import model_file


def test_the_share_judged_real_is_counted_from_the_discriminator():
    sets = evaluation_set.prepare_sets(four_sets())
    found = evaluation.evaluate(sets, model=narrow_model())
    judgment = found.findings_of(discriminator.MEASURE)[""]
    values = judgment.realness["synthetic"]
    with torch.inference_mode():
        images = model_file.from_hu(sets["synthetic"].segments.hu, segment_set.HU_RANGE)
        truth = narrow_model().discriminator.realness(images).numpy()
    np.testing.assert_allclose(values, truth, atol=1e-6)
    assert judgment.share["synthetic"].value == np.mean(values >= 0.5)
