"""Documents show what there is: links lead somewhere, commands exist, what is made is current."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
from checkout import ROOT
from SkullGANLib import __version__, cli

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "Docs").glob("*.md")),
    *sorted((ROOT / "Resources").rglob("*.md")),
    *sorted((ROOT / "Testing").rglob("*.md")),
]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def script(place: str) -> ModuleType:
    """Import a script of the checkout that belongs to no package."""
    spec = importlib.util.spec_from_file_location(Path(place).stem, ROOT / place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors_of(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


@pages
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if target.startswith(("https://", "http://")):
            continue
        place, _, anchor = unquote(target).partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors_of(file), f"{page.name}: {target}"


def commands_shown() -> list[str]:
    """Give the ``skullgan`` commands in the code blocks of all pages, whole ones only."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.partition(" # ")[0].strip()
                if command.startswith("skullgan ") and not re.search(r"\[options\]", command):
                    found.append(command)
    return found


def test_every_command_that_a_page_shows_is_one():
    shown = commands_shown()
    assert len(shown) > 10
    for command in shown:
        options = cli.parser().parse_args(shlex.split(command)[1:])
        assert callable(options.command), command


def test_the_options_in_the_commands_page_are_those_of_the_program():
    maker = script("Docs/make_commands.py")
    text = text_of(maker.PAGE)
    assert maker.page(text) == text, "expected a page made by `make docs`, found an older one"


def test_a_command_without_a_place_in_the_commands_page_gets_one_at_the_end():
    maker = script("Docs/make_commands.py")
    made = maker.page("# Commands\n")
    assert re.findall(r"<!-- options of (.+?) -->", made) == list(maker.commands())
    assert "\n## info\n\n<!-- options of info -->\n" in made
    with pytest.raises(ValueError, match=r"found \['sing'\]"):
        maker.page("<!-- options of sing -->\n<!-- end -->\n")


def test_the_picture_of_the_packages_is_drawn_from_todays_imports():
    drawing = script("Resources/draw_architecture.py")
    drawn = drawing.picture(drawing.arrows())
    expected = "expected a picture made by `make docs`, found an older one"
    assert text_of(drawing.PICTURE) == drawn, expected


def test_the_picture_of_the_packages_puts_what_is_imported_below():
    drawing = script("Resources/draw_architecture.py")
    needs = {
        "SkullGANLib.c": {"SkullGANLib.b", "SkullGANLib.a"},
        "SkullGANLib.b": {"SkullGANLib.a"},
    }
    needs["SkullGANLib.a"] = set()
    assert drawing.rows(needs) == [["SkullGANLib.a"], ["SkullGANLib.b"], ["SkullGANLib.c"]]
    assert drawing.without_detours(needs)["SkullGANLib.c"] == {"SkullGANLib.b"}
    needs["SkullGANLib.a"] = {"SkullGANLib.c"}
    with pytest.raises(ValueError, match="circle"):
        drawing.rows(needs)


def test_the_readme_is_short_and_has_what_the_extension_index_asks_for():
    readme = text_of(ROOT / "README.md")
    assert len(readme.splitlines()) <= 200
    for heading in ("A first walk", "The sample CT", "How to cite", "Network and removal"):
        assert re.search(rf"^#+ {heading}", readme, re.MULTILINE), heading
    for module in ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate"):
        assert f"- **{module}** " in readme


def test_changelog_and_citation_know_the_version():
    assert f"## [{__version__}]" in text_of(ROOT / "CHANGELOG.md")
    assert f"\nversion: {__version__}\n" in text_of(ROOT / "CITATION.cff")


def test_the_workflow_calls_what_the_project_calls():
    assert "- run: .ci/run\n" in text_of(ROOT / ".github" / "workflows" / "ci.yml")


def test_the_hook_before_a_commit_is_the_ruff_of_the_tests():
    hooks = text_of(ROOT / ".pre-commit-config.yaml")
    assert re.findall(r"entry: (\S+ \S+)", hooks) == [
        ".venv/bin/ruff check",
        ".venv/bin/ruff format",
    ]


@pages
def test_no_page_uses_a_word_that_was_given_up(page):
    given_up = r"needed is|model in the box|nobody is kept|gone on with|memoris|neighbour|colour"
    assert not re.search(given_up, text_of(page), re.IGNORECASE)


def walks() -> dict[str, str]:
    """Give the examples in CONTRIBUTING by the file that each is to be."""
    blocks = re.findall(
        r"```python\n# (\S+)\n(.*?)```", text_of(ROOT / "CONTRIBUTING.md"), re.DOTALL
    )
    return dict(blocks)


def made_of(example: str) -> dict[str, object]:
    """Run an example as the module that it is to be."""
    path = ROOT / next(place for place in walks() if place.endswith(example))
    package = ".".join(path.relative_to(ROOT / "SkullGAN").parent.parts)
    namespace: dict[str, object] = {"__package__": package, "__name__": f"{package}.{path.stem}"}
    exec(compile(walks()[str(path.relative_to(ROOT))], str(path), "exec"), namespace)
    return namespace


def test_the_examples_for_contributors_stand_in_folders_that_there_are():
    assert len(walks()) == 7
    for place in walks():
        assert (ROOT / place).parent.is_dir(), place


def test_the_metric_that_contributors_are_shown_is_one():
    from SkullGANLib.metrics import METRICS, Metric, registered

    metric = made_of("metrics/outer_peak.py")["METRIC"]
    assert isinstance(metric, Metric)
    with registered(metric):
        assert METRICS["outer_peak_hu"].title == "Outer peak (HU)"


def test_the_format_that_contributors_are_shown_writes(tmp_path):
    from SkullGANLib.export import Format, convert, registered

    format = made_of("export/seeds.py")["FORMAT"]
    assert isinstance(format, Format)
    with registered(format):
        older = ROOT / "Testing" / "Python" / "older_files" / "synthetic.h5"
        convert(older, tmp_path / "set.seeds")
    assert (tmp_path / "set.seeds").read_text() == "40\n41\n42\n"


def test_the_judge_that_contributors_are_shown_is_one():
    from SkullGANLib.evaluation.measures.measure import Measure
    from SkullGANLib.evaluation.measures.registry import MEASURES, registered

    measure = made_of("measures/brightest.py")["MEASURE"]
    assert isinstance(measure, Measure)
    assert measure.missing({"train"}) == ("synthetic",)
    with registered(measure):
        assert list(MEASURES)[-1] == "brightest"


def test_the_acoustic_convention_that_contributors_are_shown_is_one():
    from SkullGANLib.acoustics import Convention, MediumSettings, registered

    convention = made_of("acoustics/homogeneous.py")["CONVENTION"]
    assert isinstance(convention, Convention)
    with registered(convention):
        assert MediumSettings(medium="homogeneous").convention is convention


def test_the_setting_that_contributors_are_shown_has_its_range():
    assert made_of("training/recipe.py")["brightness_hu"] is not None
