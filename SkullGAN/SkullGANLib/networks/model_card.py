"""What a model file says of itself, read without torch: from the head of the file alone.

A ``.safetensors`` file begins with the length of a JSON text, 8 bytes, little-endian, and that
text, whose ``__metadata__`` holds what ``model_file.write`` put there. Measured figures may lie
beside a model as ``<name>.figures.json``: a list of pairs of texts, name and value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadInputError

_FORMAT = "skullgan-model"  # model_file.FORMAT, which brings torch
_LONGEST = 2**24
_FIGURES_ENDING = ".figures.json"
_EXPECTED = "expected a SkullGAN model (.safetensors)"


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model.

    Attributes:
        path: the file.
        trained_on: segments, subjects, kind, source, iterations, as the training wrote them.
        license: under which the weights may be used; empty if not stated.
        recipe: the name of the recipe; empty if not known.
        architecture: sizes of the networks.
        pixel_spacing_mm: of the segments that it makes; None if not known.
        created_by: program and version.
        figures: measured ones, name and value, if they lie beside the model.
        conditions: what its networks are told, as ``conditions.Conditions.to_dict``; empty if they
            are not.
        slices, depth_step_mm: of the stacks that it makes; 1 and 0 for single segments.
    """

    path: Path
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    license: str = ""
    recipe: str = ""
    architecture: Mapping[str, Any] = field(default_factory=dict)
    pixel_spacing_mm: float | None = None
    created_by: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    slices: int = 1
    depth_step_mm: float = 0.0

    @property
    def subjects(self) -> int | None:
        """Of how many people the segments were; None if not known."""
        return _whole(self.trained_on.get("subjects"))

    @property
    def segments(self) -> int | None:
        """How many segments it was trained on; None if not known."""
        return _whole(self.trained_on.get("segments"))

    @property
    def training(self) -> str:
        """What it was trained on, in a sentence."""
        if self.segments is None:
            origin = str(self.trained_on.get("origin", ""))
            return f"Not known: {origin}." if origin else "What it was trained on is not known."
        kind = self.trained_on.get("kind")
        what = f"{self.segments:,} {f'{kind} ' if kind else ''}segments"
        if self.subjects:
            what += f" of {self.subjects} subject{'' if self.subjects == 1 else 's'}"
        source = self.trained_on.get("source")
        known = source if isinstance(source, Mapping) else {}
        parts = [
            str(known["scanner"]) if known.get("scanner") else "",
            f"kernel {known['kernel']}" if known.get("kernel") else "",
            f"slices of {known['slice_thickness_mm']} mm"
            if known.get("slice_thickness_mm")
            else "",
        ]
        described = ", ".join(part for part in parts if part)
        return f"{what}{f' ({described})' if described else ''}."

    @property
    def stacks(self) -> str:
        """What its stacks in depth are like, in words; empty if it makes single segments."""
        return f"{self.slices} slices {self.depth_step_mm:g} mm apart" if self.slices > 1 else ""

    @property
    def askable(self) -> str:
        """What it can be asked for, in words; empty if for nothing."""
        names = [str(name).replace("sdr", "SDR") for name in _list(self.conditions.get("names"))]
        bones = ", ".join(map(str, _list(self.conditions.get("bones"))))
        return ", ".join(f"bone ({bones})" if name == "bone" and bones else name for name in names)

    def lines(self) -> list[str]:
        """The card in lines of ``name: value``, as far as known."""
        iterations = _whole(self.trained_on.get("iterations"))
        recipe = f"{self.recipe}{f', {iterations:,} iterations' if iterations else ''}"
        pixel = f"{self.pixel_spacing_mm:g} mm" if self.pixel_spacing_mm else ""
        found = {
            "Trained on": self.training,
            "Recipe": recipe if self.recipe else "",
            "Makes": f"stacks of {self.stacks}" if self.stacks else "",
            "Can be asked for": self.askable,
            "License": self.license or "not stated",
            **dict(self.figures),
            "Pixels": pixel,
            "Made by": self.created_by,
        }
        return [f"{name}: {value}" for name, value in found.items() if value]


def read_card(path: str | Path) -> ModelCard:
    """Read the card of a model; no weight is read, and nothing of the file is executed.

    Raises:
        BadInputError: if there is no such file, or it is no model of ours.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= _LONGEST:
                raise BadInputError(f"{path}: is no safetensors file, {_EXPECTED}.")
            header = json.loads(file.read(length))
        texts = header["__metadata__"]
        known = {key: json.loads(text) for key, text in texts.items()}
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror}), {_EXPECTED}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path}: is another or a damaged file, {_EXPECTED}.") from error
    if known.get("format") != _FORMAT:
        raise BadInputError(f"{path}: is a safetensors file of something else, {_EXPECTED}.")
    architecture, step_mm = _table(known.get("architecture")), known.get("depth_step_mm")
    recipe, spacing = _table(known.get("recipe")), known.get("pixel_spacing_mm")
    return ModelCard(
        path=path,
        trained_on=_table(known.get("trained_on")),
        license=str(known.get("licence") or ""),
        recipe=str(recipe.get("name") or ""),
        architecture=architecture,
        pixel_spacing_mm=float(spacing) if isinstance(spacing, (int, float)) else None,
        created_by=str(known.get("created_by") or ""),
        figures=_figures(path),
        conditions=_table(known.get("conditions")),
        slices=max(1, _whole(architecture.get("slices")) or 1),
        depth_step_mm=float(step_mm) if isinstance(step_mm, (int, float)) else 0.0,
    )


def _figures(model_path: Path) -> tuple[tuple[str, str], ...]:
    """The figures that lie beside a model; none if there are none, or they cannot be read."""
    path = model_path.with_name(model_path.stem + _FIGURES_ENDING)
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
        return tuple((str(name), str(value)) for name, value in pairs)
    except (OSError, ValueError, TypeError):
        return ()


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
