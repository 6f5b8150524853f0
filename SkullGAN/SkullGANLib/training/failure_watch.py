"""Trainings that go wrong without an error: a discriminator that wins outright, mode collapse.

``FailureWatch`` checks every report for what is wrong at that moment, in sentences for a user;
``diversity`` measures how different the segments of a set are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial.distance import pdist

from .recipe import Recipe


class FailureWatch:
    """Finds from a training's reports whether it goes wrong.

    Example:
        >>> watch = FailureWatch(Recipe(failure_reports=2))
        >>> winning = {"realness_real": 0.9, "realness_fake": 0.001}
        >>> watch.check(winning), len(watch.check(winning))
        ([], 1)
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._wins = 0
        self._diversities: list[float] = []

    def check(self, report: Mapping[str, float]) -> list[str]:
        """Take in a report and give what is wrong now; an empty list if nothing is.

        Args:
            report: ``realness_real`` and ``realness_fake``, and ``diversity`` where a sample grid
                was made: that of the grid as a share of that of the reals.
        """
        return [sentence for sentence in (self._winner(report), self._collapse(report)) if sentence]

    def _winner(self, report: Mapping[str, float]) -> str | None:
        recipe = self._recipe
        apart = report["realness_real"] - report["realness_fake"]
        won = apart > recipe.win_share * (recipe.real_label - recipe.fake_label)
        self._wins = self._wins + 1 if won else 0
        if self._wins < recipe.failure_reports:
            return None
        return (
            f"The discriminator wins outright: its realness is {report['realness_real']:.2f} for "
            f"reals and {report['realness_fake']:.2f} for fakes over {self._wins} reports; "
            'update_gate "above", a lower discriminator_learning_rate or instance_noise_std helps.'
        )

    def _collapse(self, report: Mapping[str, float]) -> str | None:
        if "diversity" in report:
            self._diversities.append(report["diversity"])
        least = self._recipe.collapse_share
        # One grid may be between two states; before there ever was diversity, none can be lost.
        late = self._diversities[-2:]
        if len(late) < 2 or max(late) >= least:
            return None
        return (
            f"The segments of the sample grid are nearly alike (mode collapse): they differ "
            f"{late[-1]:.0%} as much as the reals, expected at least {least:.0%}; ada_target, "
            "instance_noise_std or a lower generator_learning_rate helps."
        )


def diversity(hu: np.ndarray, reals_hu: np.ndarray) -> float:
    """Give the mean distance between two segments of a set, as a share of that in another set.

    Args:
        hu: (N, rows, columns), at least 2.
        reals_hu: (M, rows, columns), at least 2, to compare with.

    Returns:
        1 where the set is as diverse as the reals, 0 where all its segments are the same; infinite
        where all the reals are the same.

    Example:
        >>> flat = np.ones((1, 4, 4))
        >>> diversity(np.stack([flat, 2 * flat]), np.stack([flat, 5 * flat]))
        0.25
    """
    own, of_reals = (
        pdist(images.reshape(len(images), -1).astype(np.float64)).mean()
        for images in (hu, reals_hu)
    )
    return float(own / of_reals) if of_reals else float("inf")
