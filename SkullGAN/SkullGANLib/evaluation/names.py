"""What the sets of an evaluation are called, and the color of each."""

from __future__ import annotations

from collections.abc import Container

NAMES = ("train", "test", "synthetic", "control", "artificial")
"""The sets that an evaluation knows, in the order in which they are shown."""
REAL = ("test", "train")
"""The real sets, in the order in which others are compared with them."""
MADE = NAMES[2:]

LABELS = {
    "train": "Training",
    "test": "Test",
    "synthetic": "Synthetic",
    "control": "Control",
    "artificial": "Artificial",
}
COLORS = {
    "train": "#0072B2",
    "test": "#56B4E9",
    "synthetic": "#D55E00",
    "control": "#CC79A7",
    "artificial": "#009E73",
}
REALNESS_METHODS = ("positions", "occlusion")
"""How the discriminator's decision is explained, see ``measures.realness``."""


def reference_of(sets: Container[str]) -> str | None:
    """Give the real set that others are compared with: the test set, else the training set.

    Example:
        >>> reference_of({"train", "synthetic"}), reference_of({"synthetic"})
        ('train', None)
    """
    return next((name for name in REAL if name in sets), None)
