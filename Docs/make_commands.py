"""Write the options of every command into ``Docs/commands.md``, from the program's own parser.

    python Docs/make_commands.py

What stands between ``<!-- options of COMMAND -->`` and ``<!-- end -->`` is replaced, the rest of
the page is written by hand; a command without such a place gets one at the end.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from SkullGANLib import cli

PAGE = Path(__file__).resolve().parent / "commands.md"
_PLACE = "<!-- options of {} -->\n{}\n<!-- end -->"


def commands() -> dict[str, argparse.ArgumentParser]:
    """Give the parser of each command, in the order of ``skullgan --help``."""
    (subparsers,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return dict(subparsers.choices)


def options_of(command: str, parser: argparse.ArgumentParser) -> str:
    """Give a command's description, arguments and example as Markdown.

    Neither the width of a terminal nor the version of ``argparse`` plays a part.
    """
    given = [action for action in parser._actions if not action.option_strings]
    options = [action for action in parser._actions if action.option_strings]
    needed = [action for action in options if action.required]
    # What every command has comes last.
    common = [action for action in options if action.dest == "progress"]
    others = [action for action in options if action not in common and action.dest != "help"]
    rows = [_row(parser, action) for action in (*given, *others, *common)]
    usage = [f"skullgan {command}"]
    usage += [_metavar(action) for action in given]
    usage += [f"{action.option_strings[0]} {_metavar(action)}" for action in needed]
    parts = [
        parser.description or "",
        f"```\n{' '.join([*usage, '[options]'])}\n```",
        "\n".join(["| argument | meaning |", "|---|---|", *rows]),
        _escaped(parser.epilog or ""),
    ]
    return "\n\n".join(part for part in parts if part)


def page(text: str) -> str:
    """Give the page with the options of today's commands.

    Raises:
        ValueError: if the page has a place for a command that there is not.
    """
    known = commands()
    places = re.findall(r"<!-- options of (.+?) -->", text)
    unknown = sorted(set(places) - set(known))
    if unknown:
        raise ValueError(f"{PAGE.name}: expected commands of the program, found {unknown}.")
    for command, parser in known.items():
        written = _PLACE.format(command, options_of(command, parser))
        if command not in places:
            text += f"\n## {command}\n\n{written}\n"
        pattern = rf"<!-- options of {re.escape(command)} -->.*?<!-- end -->"
        text = re.sub(pattern, lambda _, written=written: written, text, flags=re.DOTALL)
    return text


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else _metavar(action)
    names = [f"`{' '.join([name, value]).strip()}`" for name in action.option_strings]
    meaning = parser._get_formatter()._expand_help(action) if action.help else ""
    return f"| {', '.join(names) or f'`{value}`'} | {_escaped(meaning)} |".replace("||", "| |")


def _metavar(action: argparse.Action) -> str:
    if action.metavar is not None:
        name = str(action.metavar)
    elif action.choices is not None:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    else:
        name = action.dest.upper()
    return {"+": f"{name}...", "*": f"[{name}...]", "?": f"[{name}]"}.get(str(action.nargs), name)


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE}: the options of {len(commands())} commands")
