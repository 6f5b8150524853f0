"""Web pages that open offline: one file, pictures inside, readable in light and dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

_CSS = """
:root { color-scheme: light dark; --ink: #1c1f23; --faint: #5d656e; --paper: #ffffff;
  --line: #d9dde2; --panel: #f5f6f8; --alert: #8a3b00; --alert-panel: #fff3e6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --faint: #a3acb6; --paper: #16181b;
  --line: #363c43; --panel: #1f2327; --alert: #ffc58a; --alert-panel: #35260f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .8rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p, header p, ul { max-width: 84ch; }
ul { margin: 0 0 1rem; padding-left: 1.4rem; }
small, figcaption, caption, footer { color: var(--faint); font-size: .85rem; }
figure { margin: 0 0 1rem; }
figure img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line);
  border-radius: 4px; background: #fff; }
figcaption { margin-top: .4rem; max-width: 90ch; overflow-wrap: anywhere; }
.sheets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr));
  gap: 1.25rem; align-items: start; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; text-align: left; padding-top: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem;
  border-bottom: 1px solid var(--line); }
thead th { background: var(--panel); font-weight: 600; }
tbody th { font-weight: 600; min-width: 6.5rem; max-width: 16rem; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.kind { font-weight: 600; }
.warning { background: var(--alert-panel); color: var(--alert); border-left: 4px solid currentColor;
  padding: .6rem .9rem; border-radius: 0 4px 4px 0; }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .8rem; }
"""


def document(title: str, body: str) -> str:
    """Make a whole page of a plain title and a body of HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def section(heading: str, content: str) -> str:
    """Put a plain heading over content that is HTML."""
    return f"<section><h2>{escape(heading)}</h2>\n{content}\n</section>"


def warning(content: str) -> str:
    """Set a sentence of HTML apart, to be seen first."""
    return f'<p class="warning">{content}</p>'


def details(summary: str, content: str) -> str:
    """Hide HTML until its plain summary is clicked on."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "", numbers_from: int = 0
) -> str:
    """Lay out rows of cells; all but the head are HTML.

    Args:
        head: plain names of the columns.
        rows: cells, the first of each row its heading.
        caption: HTML below the table, or empty.
        numbers_from: the first column of numbers, aligned right; 0 if there is none.
    """

    def cell(tag: str, place: int, content: str) -> str:
        number = ' class="number"' if 0 < numbers_from <= place else ""
        return f"<{tag}{number}>{content}</{tag.split()[0]}>"

    top = "".join(cell('th scope="col"', i, escape(name)) for i, name in enumerate(head))
    lines = "\n".join(
        "<tr>"
        + "".join(cell("td" if i else 'th scope="row"', i, one) for i, one in enumerate(row))
        + "</tr>"
        for row in rows
    )
    said = f"<caption>{caption}</caption>" if caption else ""
    return (
        f'<div class="wide"><table>{said}<thead><tr>{top}</tr></thead>\n'
        f"<tbody>{lines}</tbody></table></div>"
    )


def image(path: Path, alternative: str, caption: str) -> str:
    """Embed a PNG, with a plain text for those who cannot see it and a caption that is HTML."""
    data = b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alternative)}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
