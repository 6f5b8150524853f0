"""Pages: tables as they are laid out, pictures inside, all text escaped."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import SkullGANLib
from jinja2 import UndefinedError
from SkullGANLib.plots import html
from SkullGANLib.plots.html import Cell, Table

BLOCKS = Path(SkullGANLib.__file__).parent / "evaluation" / "report" / "templates"


def rendered(block: str, **given: object) -> str:
    """What a block of ours makes of what is given to it, on one line."""
    template = html.environment(BLOCKS).from_string(
        '{% import "blocks.html.j2" as blocks %}{{ blocks.' + block + " }}"
    )
    return "".join(line.strip() for line in template.render(**given).splitlines())


def test_a_table_sets_its_numbers_to_the_right():
    table = rendered("table(given)", given=Table(("<Name>", "n"), [("a", "1")], numbers_from=1))

    assert '<th scope="col">&lt;Name&gt;</th><th scope="col" class="number">n</th>' in table
    assert '<th scope="row">a</th><td class="number">1</td>' in table
    assert "note" not in table


def test_a_cell_has_lines_a_note_and_weight():
    cells = ["first", Cell("one\ntwo", note="small", strong=True)]

    table = rendered("table(given)", given=Table(("A", "B"), [cells], "<caption>"))

    assert "<td><b>one<br>two</b><br><small>small</small></td>" in table
    assert '<p class="note">&lt;caption&gt;</p>' in table


def test_a_picture_lies_inside_the_page_with_its_words_escaped(tmp_path):
    path = tmp_path / "<b>.png"
    path.write_bytes(b"pixels")
    picture = {"path": path, "alternative": 'a "quoted" <b>', "caption": "5 < 6"}

    figure = rendered("figure(given)", given=picture)

    address = "data:image/png;base64," + base64.b64encode(b"pixels").decode()
    assert f'<img src="{address}" alt="a &#34;quoted&#34; &lt;b&gt;">' in figure
    assert "<figcaption>5 &lt; 6</figcaption>" in figure


@pytest.mark.parametrize("block", ["warning(given)", "sentences([given])"])
def test_sentences_are_escaped(block):
    text = rendered(block, given="<script>alert(1)</script> & more")

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text


def test_what_a_template_names_and_is_not_given_is_an_error():
    with pytest.raises(UndefinedError, match="given"):
        rendered("warning(given)")
