"""Where a discriminator's decision comes from: values that sum to it, and a planted clue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import arches, in_stacks
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import realness
from SkullGANLib.evaluation.measures.scores import Calibration
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.dcgan import Discriminator, Generator, networks
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.networks.model_file import Model, from_hu

COUNT = 5


@pytest.fixture(scope="module")
def model() -> Model:
    """An untrained discriminator that nevertheless says something of an image."""
    judge = Discriminator(4)
    chance = torch.Generator().manual_seed(3)
    initialize(judge, 0.0, chance)
    for layer in judge.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1, generator=chance)
            layer.bias.data.normal_(0, 0.1, generator=chance)
    judge.main[-1].bias.data.fill_(0.7)
    return Model(Generator(8, 8), judge.eval())


@pytest.fixture(scope="module")
def walls() -> segment_set.SegmentSet:
    """Noisy walls of 16 rows, each a little lower than the one before."""
    chance = np.random.default_rng(0)
    hu, mask = np.zeros((2, COUNT, 128, 128), np.int16)
    for k in range(COUNT):
        rows = slice(20 + 6 * k, 36 + 6 * k)
        mask[k, rows] = 1
        hu[k, rows] = 1200 + 300 * chance.standard_normal((16, 128))
    return segment_set.without_patient(hu, mask, np.arange(COUNT))


def test_the_places_of_the_last_layer_sum_to_the_logit(model, walls):
    images = from_hu(walls.hu, model.hu_range)
    shares = realness.position_shares(model.discriminator, images)
    assert shares.shape == (COUNT, 4, 4)
    with torch.inference_mode():
        logits = model.discriminator(images)
    assert torch.allclose(shares.sum(dim=(1, 2)), logits, atol=1e-5)


def test_the_pixels_sum_to_the_logit_and_its_sigmoid_is_the_realness(model, walls):
    values = realness.explain(model, walls)
    assert values.shape == (COUNT, 128, 128)
    logits = realness.logits(model, walls)
    assert np.abs(values.sum(axis=(1, 2)) - logits).max() < 1e-4
    scores = realness.of_segments(model, walls)
    assert scores == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)
    assert np.ptp(scores) > 0.001


def test_a_place_lights_up_its_own_pixels(model):
    shares = torch.zeros(1, 4, 4)
    shares[0, 1, 2] = 3.0
    pixels = realness._to_pixels(shares)[0]
    assert pixels.sum() == pytest.approx(3.0)
    row, column = np.unravel_index(int(pixels.argmax()), pixels.shape)
    assert (row // 32, column // 32) == (1, 2)
    assert pixels[:16].sum() == pytest.approx(0, abs=1e-6)  # farther than the next place


class LooksAtOneSpot(Discriminator):
    """Judges by the grain around one pixel alone."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 4 * image[:, 0, 24:32, 88:96].std(dim=(1, 2))


def test_occlusion_finds_the_spot_that_the_judge_looks_at(walls):
    spotted = Model(Generator(8, 8), LooksAtOneSpot(4).eval())
    values = realness.explain(spotted, walls[:1], "occlusion")[0]
    assert (values[walls.mask[0] == 0] == 0).all()
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert abs(row - 28) < 12
    assert abs(column - 92) < 12
    assert values.max() > 0.1
    assert np.abs(values[:, :64]).max() == 0


def test_what_occlusion_says_is_what_the_logit_loses(walls):
    spotted = Model(Generator(8, 8), LooksAtOneSpot(4).eval())
    flat = replace(walls, hu=np.where(walls.mask, 1200, 0).astype(np.int16))
    lost = realness.logits(spotted, walls[:1]) - realness.logits(spotted, flat[:1])
    values = realness.explain(spotted, walls[:1], "occlusion")[0]
    assert values.max() == pytest.approx(lost[0], rel=0.2)


def test_progress_is_told(model, walls):
    told = []
    realness.explain(model, walls, on_progress=lambda done, of: told.append((done, of)))
    assert told == [(COUNT, COUNT)]


def placed(walls: segment_set.SegmentSet) -> segment_set.SegmentSet:
    """Each wall in an axial plane of its own, 10 mm above the one before; the outer edge at y=0."""
    matrices = np.tile(np.eye(4), (COUNT, 1, 1))
    for k, matrix in enumerate(matrices):
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = [0.45, 0, 0], [0, -0.45, 0], [0, 0, 0.45]
        matrix[:3, 3] = [0, 0.45 * (20 + 6 * k), 10 * k]
    return replace(walls, pixel_to_ras=matrices)


def test_scores_lie_on_the_skull_where_their_segments_were_cut(walls):
    x, z = np.meshgrid(np.arange(5.0, 55.0, 5.0), np.arange(-10.0, 60.0, 1.0))
    points = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1)
    scores = np.arange(COUNT) / COUNT
    found = realness.on_surface(points, placed(walls), scores)
    for k in range(COUNT):
        there = np.abs(points[:, 2] - 10 * k) < 2.5
        assert found[there] == pytest.approx(np.full(there.sum(), scores[k]))
    assert np.isnan(found[np.abs(points[:, 2] % 10 - 5) < 1]).all()


def test_a_vertex_between_two_segments_has_their_mean(walls):
    found = realness.on_surface(np.array([[20.0, 0, 5.0]]), placed(walls), np.arange(5.0), 6.0)
    assert found == pytest.approx([0.5])


def test_what_cannot_be_laid_on_a_skull_is_refused(walls):
    points = np.zeros((1, 3))
    with pytest.raises(BadInputError, match="A segment has no place in a patient"):
        realness.on_surface(points, walls, np.zeros(COUNT))
    with pytest.raises(BadInputError, match="4 scores for 5 segments"):
        realness.on_surface(points, placed(walls), np.zeros(4))
    with pytest.raises(BadInputError, match="No segment lies on the skull"):
        realness.on_surface(points + 500.0, placed(walls), np.zeros(COUNT))


def test_a_model_of_other_pixels_and_a_method_that_is_none_are_refused(model, walls):
    with pytest.raises(BadInputError, match="method is 'guess': expected one of positions"):
        realness.explain(model, walls, "guess")
    coarse = replace(walls, pixel_spacing_mm=0.9)
    for judge in (realness.explain, realness.of_segments):
        with pytest.raises(BadInputError, match=r"pixels of 0\.45 mm and the segments' are 0\.9"):
            judge(model, coarse)


def test_a_score_is_called_what_it_may_be_read_as():
    assert "not calibrated" in realness.label()
    empty = np.zeros(0)
    good = Calibration(empty, empty, empty, 0.2, 0.03, 0.6, True)
    assert realness.label(good) == "calibrated: read as a probability it is off by 0.03"
    bad = replace(good, ece=0.4, p_value=0.001, is_probability=False)
    assert realness.label(bad) == "not a probability: it is off by 0.40"


def test_a_discriminator_of_stacks_in_depth_gives_each_slice_its_stacks_score():
    torch.manual_seed(0)
    shape = Architecture(4, 8, 2, slices=2)
    model = Model(*networks(shape), depth_step_mm=0.9)
    stacks = in_stacks(arches(6), 2)
    scores = realness.of_segments(model, stacks)
    assert scores.shape == (6,)
    np.testing.assert_array_equal(scores[::2], scores[1::2])
    with pytest.raises(BadInputError, match="where in a slice its decision comes from"):
        realness.explain(model, stacks)
    with pytest.raises(BadInputError, match="holds single cuts, expected stacks"):
        realness.of_segments(model, arches(4))
    with pytest.raises(
        BadInputError, match=r"2 slices 0\.9 mm apart and the segments are in stacks"
    ):
        realness.of_segments(model, in_stacks(arches(6), 3))


def test_a_discriminator_of_the_papers_width_judges_in_bf16_nearly_the_same(walls, monkeypatch):
    torch.manual_seed(0)
    discriminator = Discriminator()
    initialize(discriminator, 0.0, torch.Generator().manual_seed(0))
    wide = Model(Generator(8, 16), discriminator.eval())
    scores = []
    for answer in (False, True):
        monkeypatch.setattr(realness, "computes_in_bf16", lambda device, answer=answer: answer)
        scores.append(realness.of_segments(wide, walls[:3]))
    assert 0 < np.abs(scores[0] - scores[1]).max() < 2e-3
    exact = discriminator.realness(from_hu(walls[:3].hu, wide.hu_range)).tolist()
    assert scores[0].tolist() == pytest.approx(exact, abs=1e-6)
