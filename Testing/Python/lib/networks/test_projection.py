"""The projection by which a discriminator judges by conditions."""

from __future__ import annotations

import pytest
import torch
from examples import conditioned_model
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.projection import Projection


def test_the_projection_of_conditions_is_their_embeddings_product_with_the_features():
    torch.manual_seed(0)
    projection = Projection(size=3, channels=4)
    features, told = torch.rand(2, 5, 2, 3), torch.rand(2, 3)  # one channel behind those read
    weight = projection.embedding(told)
    expected = torch.einsum("nc,nchw->nhw", weight, features[:, :4]) / (6 * 2)
    torch.testing.assert_close(projection(features, told), expected)
    with pytest.raises(BadInputError, match="by their conditions"):
        projection(features, None)


def test_a_logit_with_conditions_is_the_plain_one_and_what_the_projection_adds():
    model = conditioned_model()
    image, told = torch.rand(2, 1, 128, 128) * 2 - 1, torch.randn(2, 10)
    network = model.discriminator
    with torch.inference_mode():
        features = network.features(image)
        plain = network.main[-1](features).flatten()
        whole = network(image, told)
        added = network.projection(features, told).sum((1, 2))
    torch.testing.assert_close(whole, plain + added)
    assert (added != 0).all()
