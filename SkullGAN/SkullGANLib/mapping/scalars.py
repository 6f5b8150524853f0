"""What a map can show: every metric, and the realness of segments that was laid back on it."""

from __future__ import annotations

from ..errors import BadInputError
from ..metrics.registry import METRICS

REALNESS = "realness"
"""Scalar of a map to which the realness of segments was added, 0 to 1."""
DEFAULT = "thickness_mm"
"""Scalar that is shown where nobody chooses."""
_REALNESS_RANGE = (0.0, 1.0)
_REALNESS_DIGITS = 2


def names() -> tuple[str, ...]:
    """Every scalar that a map may have, in order."""
    return (*METRICS, REALNESS)


def checked(name: str) -> str:
    """The name of a scalar, if it is one.

    Raises:
        BadInputError: if it is not known.
    """
    if name not in names():
        raise BadInputError(f"Expected a scalar out of {', '.join(names())}, found {name!r}.")
    return name


def color_range(name: str) -> tuple[float, float]:
    """What the colors of a scalar reach over at first.

    Raises:
        BadInputError: if it is not known.
    """
    return _REALNESS_RANGE if checked(name) == REALNESS else METRICS[name].color_range


def title(name: str) -> str:
    """What a scalar is called, with its unit.

    Raises:
        BadInputError: if it is not known.
    """
    return "Realness" if checked(name) == REALNESS else METRICS[name].title


def digits(name: str) -> int:
    """How many digits of a value are shown behind the point.

    Raises:
        BadInputError: if it is not known.
    """
    return _REALNESS_DIGITS if checked(name) == REALNESS else METRICS[name].digits


def text(name: str, value: float) -> str:
    """A value as people read it, with its unit.

    Raises:
        BadInputError: if the scalar is not known.

    Example:
        >>> text("thickness_mm", 5.25), text("realness", 0.5)
        ('5.2 mm', '0.50')
    """
    number = f"{value:.{digits(name)}f}"
    unit = "" if name == REALNESS else METRICS[name].unit
    return f"{number} {unit}" if unit else number
