"""How a discriminator judges by conditions: by a projection beside its last layer."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ..errors import BadInputError

_HIDDEN = 64
_SLOPE = 0.2


class Projection(nn.Module):
    """What the conditions add to a discriminator's logit: the inner product of their embedding and
    the image's features (Miyato and Koyama 2018, equation 3).

    Where a quantity is normally distributed about a function of the image, its log-likelihood is
    that function times the quantity, but for terms of one of them alone. Hence the inner product;
    the hidden layer is for what is not so.

    Args:
        size: how many numbers are told.
        channels: of the features that are read; what comes behind them is not.
    """

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.embedding = nn.Sequential(
            nn.Linear(size, _HIDDEN), nn.LeakyReLU(_SLOPE), nn.Linear(_HIDDEN, channels)
        )

    def forward(self, features: Tensor, conditions: Tensor | None) -> Tensor:
        """Give what each place of the features adds to the logit.

        Args:
            features: float (N, channels, rows, columns).
            conditions: float (N, size).

        Returns:
            float (N, rows, columns).

        Raises:
            BadInputError: if there are no conditions.
        """
        if conditions is None:
            raise BadInputError(
                "The discriminator judges segments by their conditions, expected them beside the "
                "images, found none."
            )
        seen = features[:, : self.channels]
        weight = self.embedding(conditions)[:, :, None, None]
        places = seen.shape[2] * seen.shape[3]
        return (weight * seen).sum(1) / (places * math.sqrt(self.channels))
