"""What segments are by the conditions that a model is told: measured, and learned from a set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..metrics.measurement import measure
from ..networks.conditions import BONE, QUANTITIES, SAMPLE_SIZE, Conditions

if TYPE_CHECKING:
    from ..networks.model_file import Model


def measured(names: Sequence[str], segments: SegmentSet) -> dict[str, np.ndarray]:
    """Give what segments are.

    Args:
        names: of conditions.
        segments: N segments.

    Returns:
        (N,) by name; NaN where a quantity cannot be measured.
    """
    metrics = measure(segments) if any(name != BONE for name in names) else {}
    return {
        name: np.asarray(segments.bone, str)
        if name == BONE
        else np.asarray(metrics[QUANTITIES[name].metric], float)
        for name in names
    }


def are_known(values: dict[str, np.ndarray]) -> np.ndarray:
    """Tell of which segments everything could be measured, bool (N,)."""
    known = [
        np.isfinite(v) if v.dtype.kind == "f" else np.ones(len(v), bool) for v in values.values()
    ]
    return np.logical_and.reduce(known)


def learned(names: Sequence[str], segments: SegmentSet, *, balanced_subjects: bool) -> Conditions:
    """Learn the conditions of a training set.

    Args:
        names: which ones.
        segments: of which everything can be measured.
        balanced_subjects: whether every subject is shown equally often; the sample then is of all
            of them alike.

    Raises:
        BadInputError: if there are more bones than networks have room for.
    """
    values = measured(names, segments)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(segments))
    if balanced_subjects:
        whose = np.unique(np.asarray(segments.subject, str), return_inverse=True)[1][order]
        turn = np.empty(len(order), int)
        for subject in np.unique(whose):
            own = np.flatnonzero(whose == subject)
            turn[own] = np.arange(len(own))
        order = order[np.argsort(turn, kind="stable")]
    return Conditions.learned(names, values, rng.permutation(order[:SAMPLE_SIZE]))


def told_of(model: Model, segments: SegmentSet) -> dict[str, np.ndarray] | None:
    """Give again what a model was told when it made segments; it follows from seeds and ``source``.

    Args:
        model: that made them.
        segments: N synthetic segments.

    Returns:
        (N,) by name; None where it is not known: the model is told nothing or is another one, or
        sets for which different things were asked were joined.
    """
    source = segments.source
    asked = source.get("asked", {})
    same = json.dumps(source.get("trained_on"), sort_keys=True) == json.dumps(
        dict(model.trained_on), sort_keys=True
    )
    if model.conditions is None or not same or not isinstance(asked, Mapping):
        return None
    if (segments.seed < 0).any():
        return None
    try:
        return model.conditions.draw(segments.seed, asked)
    except BadInputError:  # another model's
        return None
