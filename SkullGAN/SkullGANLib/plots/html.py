"""Web pages that open offline: one file, pictures inside, all text escaped.

Pages are jinja2 templates. ``environment`` makes the templates of a folder ready: what is put into
them is text and is escaped; ``Table`` and ``Cell`` carry what the templates lay out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Cell:
    """A cell of a table, in plain text.

    Attributes:
        text: its lines.
        note: its lines, shown small below them.
        strong: to be seen first.
    """

    text: str
    note: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table in plain text; a row begins with its heading.

    Attributes:
        head: names of the columns.
        rows: a cell for each column; a text is a cell of that text alone.
        caption: below the table, or empty.
        numbers_from: the first column of numbers, aligned right; 0 if there is none.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    caption: str = ""
    numbers_from: int = 0

    def cells(self) -> Iterable[list[Cell]]:
        """Give the rows with every cell a ``Cell``."""
        for row in self.rows:
            yield [one if isinstance(one, Cell) else Cell(one) for one in row]


def environment(templates: Path) -> Environment:
    """Make the templates of a folder ready; they escape all that is put into them.

    Beside what jinja2 has, templates know the filter ``data_uri``.

    Args:
        templates: the folder.

    Raises:
        ModuleNotFoundError: without jinja2.
        jinja2.UndefinedError: on rendering, if a template names what was not given.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["data_uri"] = data_uri
    return made


def data_uri(path: str | Path) -> str:
    """Give a PNG as an address that holds it whole.

    Raises:
        OSError: if it cannot be read.

    Example:
        >>> import tempfile
        >>> picture = Path(tempfile.mkdtemp()) / "picture.png"
        >>> _ = picture.write_bytes(b"PNG")
        >>> data_uri(picture)
        'data:image/png;base64,UE5H'
    """
    return "data:image/png;base64," + b64encode(Path(path).read_bytes()).decode("ascii")
