"""PNG: a folder of 16-bit pictures and of masks, one a segment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..data.segment_set import TEXTS
from .format import Format
from .segment_stack import SegmentStack
from .staging import staged_folder

OFFSET_HU = 1024
"""Added to the HU of a PNG, which holds no negative numbers."""


def write_png(stack: SegmentStack, path: Path) -> None:
    """Write hu/<number>.png, 16-bit gray, and mask/<number>.png, 0 and 255."""
    from PIL import Image, PngImagePlugin

    about = (
        f"{stack.about}\n"
        f"hu/: 16-bit gray, HU = value - {OFFSET_HU}. mask/: 255 inside the skull wall, else "
        f"0. {stack.header.pixel_spacing_mm:g} mm pixels, row 0 outside the head. segments.json "
        "tells each picture's seed and origin."
    )
    with staged_folder(path) as folder:
        for name in ("hu", "mask"):
            (folder / name).mkdir()
        origins: list[dict[str, str | int]] = []
        for batch in stack.batches():
            for row in range(len(batch)):
                number = f"{len(origins):06d}.png"
                origin = {name: str(getattr(batch, name)[row]) for name in TEXTS}
                origins.append({"file": number, "seed": int(batch.seed[row]), **origin})
                text = PngImagePlugin.PngInfo()
                text.add_text("Description", f"{batch.kind} skull segment")
                text.add_text("Comment", f"HU = value - {OFFSET_HU}")
                text.add_text("Seed", str(batch.seed[row]))
                shifted = np.clip(batch.hu[row].astype(np.int32) + OFFSET_HU, 0, None)
                gray = Image.fromarray(shifted.astype(np.uint16))
                gray.save(folder / "hu" / number, pnginfo=text)
                Image.fromarray(batch.mask[row] * np.uint8(255)).save(folder / "mask" / number)
        (folder / "README.txt").write_text(about + "\n", encoding="utf-8")
        index = {
            "kind": stack.header.kind,
            "hu_offset": -OFFSET_HU,
            "pixel_spacing_mm": stack.header.pixel_spacing_mm,
            "created_by": stack.header.created_by,
            "source": dict(stack.header.source),
            "segments": origins,
        }
        (folder / "segments.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


FORMAT = Format(
    name="png",
    title="PNG",
    endings=(".png-folder",),
    description="folder of 16-bit pictures and of masks",
    write=write_png,
    is_folder=True,
    folder_names=r"hu|mask|README\.txt|segments\.json",
)
