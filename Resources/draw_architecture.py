"""Draw which package imports which, out of the imports themselves, as ``Docs/architecture.svg``.

    python Resources/draw_architecture.py [OUTPUT.svg]

A box is a package, a row the packages that need nothing of one another. An arrow leads to what is
imported; where a longer way leads there too, the direct arrow is left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "Docs" / "architecture.svg"
FOLDERS = {
    "SkullGANLib": "SkullGAN/SkullGANLib",
    "SkullGANScene": "SkullGAN/SkullGANScene",
    "SkullGANGui": "SkullGAN/SkullGANGui",
    "SkullGANTrainLib": "SkullGANTrain/SkullGANTrainLib",
    "SkullGANEvaluateLib": "SkullGANEvaluate/SkullGANEvaluateLib",
    "SkullGAN": "SkullGAN/SkullGAN.py",
    "SkullGANTrain": "SkullGANTrain/SkullGANTrain.py",
    "SkullGANEvaluate": "SkullGANEvaluate/SkullGANEvaluate.py",
    "Scripts": "SkullGAN/Scripts",
    "SkullGANEvaluate Scripts": "SkullGANEvaluate/Scripts",
}
"""Where each package or module file of ours lies, by the name that others import it by."""
_BOXES = {"SkullGANTrainLib": "SkullGANTrain", "SkullGANEvaluateLib": "SkullGANEvaluate"}
_BOXES |= {"SkullGANEvaluate Scripts": "Scripts"}
_EVERYWHERE = {"SkullGANLib", "SkullGANScene", "SkullGANLib.errors", "SkullGANLib.lazy"}
"""What everyone imports: its arrows would say nothing."""
_COLORS = {
    "library": "#dbe9f6",
    "scene": "#e3f1dd",
    "panels": "#fbe8cf",
    "modules, scripts, command": "#f3dfea",
}
_WIDTH, _ROW, _BOX, _HEIGHT, _TOP = 1000, 74, 104, 34, 60


def arrows() -> dict[str, set[str]]:
    """Give the packages that each package imports, those that everyone imports left out."""
    found: dict[str, set[str]] = {}
    for name, place in FOLDERS.items():
        root = ROOT / place
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            parts = path.relative_to(root).with_suffix("").parts if root.is_dir() else ()
            module = ".".join([name, *parts])
            box = _box(module.removesuffix(".__init__"))
            if box is None:
                continue
            imported = {_box(one) for one in _imports(path, module)}
            found.setdefault(box, set()).update(one for one in imported if one and one != box)
    return {box: {one for one in needs if one in found} for box, needs in found.items()}


def rows(needs: Mapping[str, set[str]]) -> list[list[str]]:
    """Put packages into rows, from the bottom up.

    Those of the library stand as low as what they import allows, the others right below the first
    that imports them.

    Raises:
        ValueError: if packages import each other in a circle.
    """
    placed: list[list[str]] = []
    left = dict(needs)
    while left:
        row = sorted(box for box, below in left.items() if not below & left.keys())
        if not row:
            raise ValueError(f"Expected no circle of imports, found one among {sorted(left)}.")
        placed.append(row)
        for box in row:
            del left[box]
    for level in reversed(range(len(placed))):
        for box in [one for one in placed[level] if _group(one) in ("scene", "panels")]:
            above = [n for n, row in enumerate(placed) for one in row if box in needs[one]]
            placed[level].remove(box)
            placed[min(above, default=level + 1) - 1].append(box)
    return placed


def without_detours(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out an arrow where another way leads to the same package."""

    def reached(box: str) -> set[str]:
        return needs[box].union(*(reached(one) for one in needs[box]))

    return {
        box: {one for one in below if not any(one in reached(o) for o in below - {one})}
        for box, below in needs.items()
    }


def picture(needs: Mapping[str, set[str]]) -> str:
    """Give the drawing as SVG."""
    placed = rows(needs)
    height = _TOP + _ROW * len(placed)
    middles: dict[str, tuple[float, float]] = {}
    shapes: list[str] = []
    for level, row in enumerate(placed):
        y = height - _ROW * (level + 0.6)
        # Over the middle of what they import, so that few arrows cross.
        row = sorted(row, key=lambda box: (_middle_below(box, needs, middles), box))
        for number, box in enumerate(row):
            x = _WIDTH * (number + 0.5) / len(row)
            middles[box] = (x, y)
            shapes += _drawn_box(box, x, y)
    lines = [
        _drawn_arrow(*middles[box], *middles[one])
        for box, below in sorted(without_detours(needs).items())
        for one in sorted(below)
    ]
    style = "font-family='Helvetica, Arial, sans-serif' font-size='14' text-anchor='middle'"
    head = (
        "<marker id='head' markerWidth='8' markerHeight='8' refX='7' refY='4' orient='auto'>"
        "<path d='M0 0 L8 4 L0 8 z' fill='#777'/></marker>"
    )
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' {style}>",
            f"<defs>{head}</defs>",
            f"<rect width='{_WIDTH}' height='{height}' fill='white'/>",
            *_legend(),
            *lines,
            *shapes,
            "</svg>\n",
        ]
    )


def _imports(path: Path, module: str) -> Iterator[str]:
    """Give the dotted names that a file imports when it runs, at its top or in functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    package = package.removesuffix(".__init__")
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join(parents) if node.level else ""
            start = ".".join(part for part in (base, node.module) if part)
            yield from (f"{start}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _running(child)


def _box(module: str) -> str | None:
    """Give the box that a module is in; None for what is not ours or what everyone imports."""
    root, *rest = module.split(".")
    if root not in FOLDERS:
        return None
    folder = ROOT / FOLDERS[root]
    inner = ".".join([root, rest[0]]) if rest and (folder / rest[0]).is_dir() else root
    # The command stands in a file of the library's own folder.
    inner = "SkullGANLib.cli" if module.startswith("SkullGANLib.__main__") else inner
    return None if inner in _EVERYWHERE else _BOXES.get(inner, inner)


def _middle_below(
    box: str, needs: Mapping[str, set[str]], middles: Mapping[str, tuple[float, float]]
) -> float:
    below = [middles[one][0] for one in needs[box]]
    return sum(below) / len(below) if below else _WIDTH / 2


def _group(box: str) -> str:
    if box.startswith("SkullGANLib.") and box != "SkullGANLib.cli":
        return "library"
    if box.startswith("SkullGANScene."):
        return "scene"
    return "panels" if box.startswith("SkullGANGui") else "modules, scripts, command"


def _drawn_box(box: str, x: float, y: float) -> list[str]:
    label = box.rpartition(".")[2]
    width = max(_BOX, 9 * len(label) + 12)
    return [
        f"<rect x='{x - width / 2:.0f}' y='{y - _HEIGHT / 2:.0f}' width='{width}' "
        f"height='{_HEIGHT}' rx='6' fill='{_COLORS[_group(box)]}' stroke='#555'/>",
        f"<text x='{x:.0f}' y='{y + 5:.0f}'>{escape(label)}</text>",
    ]


def _drawn_arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    start, end = y + _HEIGHT / 2, to_y - _HEIGHT / 2
    bend = (end - start) / 2
    return (
        f"<path d='M{x:.0f} {start:.0f} C{x:.0f} {start + bend:.0f} {to_x:.0f} {end - bend:.0f} "
        f"{to_x:.0f} {end:.0f}' fill='none' stroke='#777' marker-end='url(#head)'/>"
    )


def _legend() -> list[str]:
    shapes = []
    folders = {"library": "SkullGANLib", "scene": "SkullGANScene", "panels": "SkullGANGui"}
    for number, (name, color) in enumerate(_COLORS.items()):
        x = 30 + 230 * number
        name = f"{name}: {folders[name]}" if name in folders else name
        shapes.append(f"<rect x='{x}' y='18' width='18' height='18' fill='{color}' stroke='#555'/>")
        shapes.append(f"<text x='{x + 26}' y='32' text-anchor='start'>{escape(name)}</text>")
    return shapes


if __name__ == "__main__":
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    output.write_text(picture(arrows()), encoding="utf-8")
    print(output)
