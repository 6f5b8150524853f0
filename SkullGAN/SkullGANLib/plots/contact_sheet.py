"""Contact sheets: many segments in one gray picture, to be looked at by a person.

``write_contact_sheet`` writes the PNG, ``contact_sheet`` gives the pixels. Both need Pillow alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInputError
from ..utils.atomic_files import written_aside

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

_GAP = 2
_GAP_GRAY = 72
_CAPTION_HEIGHT = 14
_CAPTION_GRAY = 225
_FONT_SIZE = 10
_MARGIN_ROWS = 4


def write_contact_sheet(
    path: str | Path,
    hu: np.ndarray,
    *,
    columns: int = 8,
    captions: Sequence[str] | None = None,
    window_hu: tuple[float, float] = (0, 2000),
    crop: bool = True,
    limit: int = 1000,
) -> None:
    """Write a PNG with the segments in a grid; the same segments give the same bytes.

    Args:
        path: the PNG file, written aside and renamed.
        hu, columns, captions, window_hu, crop, limit: as for ``contact_sheet``.

    Raises:
        BadInputError: as ``contact_sheet``.
        OutputError: if the file cannot be written.
    """
    from PIL import Image

    sheet = contact_sheet(
        hu, columns=columns, captions=captions, window_hu=window_hu, crop=crop, limit=limit
    )
    with written_aside(path) as temporary:
        Image.fromarray(sheet).save(temporary, format="PNG", compress_level=9)


def contact_sheet(
    hu: np.ndarray,
    *,
    columns: int = 8,
    captions: Sequence[str] | None = None,
    window_hu: tuple[float, float] = (0, 2000),
    crop: bool = True,
    limit: int = 1000,
) -> np.ndarray:
    """Lay segments out in a grid, first one at the top left, row by row.

    Args:
        hu: int16 (N, rows, columns), HU.
        columns: segments in a row of the sheet; fewer than that make a narrower sheet.
        captions: N short texts, one below each segment, cut where they do not fit; or none.
        window_hu: the HU shown as black and as white, linear between.
        crop: show only the rows that any segment uses (those not 0 HU throughout) and a few around
            them. The wall lies in the upper third of a segment, the rest would be black.
        limit: segments shown at most. Of a larger set the first ``limit - 1`` are shown, and the
            last tile says how many are left out.

    Returns:
        uint8 (height, width), the gray picture.

    Raises:
        BadInputError: if there is no segment, the array is not (N, rows, columns), the captions
            are not N, the window is empty, or ``columns`` or ``limit`` is below 1.
    """
    hu = np.asarray(hu)
    _check(hu, columns, captions, window_hu, limit)
    count = len(hu)
    shown = count if count <= limit else limit - 1
    tiles = _windowed(hu[:shown][:, used_rows(hu[:shown]) if crop else slice(None)], window_hu)
    height, width = tiles.shape[1:]
    pitch_y = height + (_CAPTION_HEIGHT if captions is not None else 0) + _GAP
    pitch_x = width + _GAP
    places = shown + (shown < count)
    across = min(columns, places)
    sheet = np.full(
        (-(-places // across) * pitch_y + _GAP, across * pitch_x + _GAP), _GAP_GRAY, np.uint8
    )
    corners = [
        (_GAP + place // across * pitch_y, _GAP + place % across * pitch_x)
        for place in range(places)
    ]
    for (top, left), tile in zip(corners, tiles, strict=False):
        sheet[top : top + height, left : left + width] = tile
    if captions is not None:
        sheet = _with_captions(sheet, corners[:shown], captions, height, width)
    if shown < count:
        sheet = _with_remainder(sheet, corners[-1], f"{count - shown:,} more", height, width)
    return sheet


def used_rows(hu: np.ndarray) -> slice:
    """Give the rows that any segment uses, with up to four rows around them.

    Args:
        hu: (N, rows, columns), HU, 0 outside the mask.

    Returns:
        A slice of the rows; all rows if every segment is 0 throughout.
    """
    used = np.flatnonzero(np.any(hu != 0, axis=(0, 2)))
    if used.size == 0:
        return slice(0, hu.shape[1])
    return slice(
        max(0, int(used[0]) - _MARGIN_ROWS), min(hu.shape[1], int(used[-1]) + 1 + _MARGIN_ROWS)
    )


def _check(
    hu: np.ndarray,
    columns: int,
    captions: Sequence[str] | None,
    window_hu: tuple[float, float],
    limit: int,
) -> None:
    if hu.ndim != 3 or 0 in hu.shape[1:]:
        raise BadInputError(
            f"A contact sheet was given an array of shape {hu.shape}, "
            "expected (segments, rows, columns)."
        )
    if len(hu) == 0:
        raise BadInputError("A contact sheet was given no segment, expected at least one.")
    if captions is not None and len(captions) != len(hu):
        raise BadInputError(
            f"A contact sheet was given {len(captions)} captions for {len(hu)} segments, "
            "expected one for each."
        )
    if not window_hu[0] < window_hu[1]:
        raise BadInputError(
            f"A contact sheet's window is {window_hu} HU, expected the first below the second."
        )
    if columns < 1 or limit < 1:
        raise BadInputError(
            f"A contact sheet was given {columns} columns and a limit of {limit} segments, "
            "expected at least 1 of each."
        )


def _windowed(hu: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    low, high = window_hu
    gray = (hu.astype(np.float32) - low) * (255 / (high - low))
    return np.clip(np.rint(gray), 0, 255).astype(np.uint8)


def _with_captions(
    sheet: np.ndarray,
    corners: Sequence[tuple[int, int]],
    captions: Sequence[str],
    height: int,
    width: int,
) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=_FONT_SIZE)
    for (top, left), caption in zip(corners, captions, strict=False):
        text = _fitting(draw, font, " ".join(str(caption).split()), width)
        draw.text((left + 1, top + height + 1), text, fill=_CAPTION_GRAY, font=font)
    return np.asarray(picture)


def _with_remainder(
    sheet: np.ndarray, corner: tuple[int, int], text: str, height: int, width: int
) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(sheet)
    top, left = corner
    ImageDraw.Draw(picture).text(
        (left + width / 2, top + height / 2),
        text,
        fill=_CAPTION_GRAY,
        font=ImageFont.load_default(size=_FONT_SIZE),
        anchor="mm",
    )
    return np.asarray(picture)


def _fitting(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    text: str,
    width: int,
) -> str:
    if draw.textlength(text, font=font) <= width - 2:
        return text
    while text and draw.textlength(text + "…", font=font) > width - 2:
        text = text[:-1]
    return text + "…"
