"""The page of an evaluation: answers, figures and tables in one HTML file.

The words of its sections stand in ``templates/page.html.j2``; all that comes from files (names,
subjects, sources) goes into it as plain text and is escaped there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...metrics import METRICS
from ...metrics.profiles import AIR_HU, BONE_HU
from ...plots import html
from ..measures import prdc, registry, tsne
from ..measures.nearest_neighbors import SIFT_SEGMENTS, SIFT_TRAINING
from ..measures.pixel_search import MOST_TRAINING
from ..measures.sift_search import MOST_BY_SIFT
from ..names import LABELS, MADE
from . import measure_tables, set_tables
from .figures import Picture
from .set_description import cautions
from .study_section import study_table
from .training_section import recipe_table, training_state

TITLE = "Are the synthetic segments like real ones?"
_PICTURES = ("segments", "training", "samples", "metrics", "tsne", "judges", "discriminator",
             "memorization", "neighbors-mse", "neighbors-sift", "usefulness", "acoustic",
             "study")  # fmt: skip
"""Those that the template has a place for; others stand behind them."""
_TABLES = ("known_answers", "strata", "files", "leakage", "acoustic", "whole_walls")
"""Tables of judges that it has a place for."""
_TEMPLATES = Path(__file__).parent / "templates"


def page(numbers: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    """Make the page.

    Args:
        numbers: what ``writer.numbers_of`` gave, with ``training`` where a run was given.
        pictures: the figures, by name.

    Returns:
        HTML that needs no other file.

    Raises:
        OSError: if a figure cannot be read.
    """
    named = {LABELS[name]: one for name, one in numbers["sets"].items()}
    training = numbers.get("training")
    template = html.environment(_TEMPLATES).get_template("page.html.j2")
    return template.render(
        title=TITLE,
        numbers=numbers,
        pictures=pictures,
        made=", ".join(LABELS[name].lower() for name in MADE if name in numbers["sets"]),
        cautions=cautions(named),
        sampling=_sampling(numbers),
        tables=_tables(numbers, named),
        judged=[one for one in registry.tables(numbers) if one.name not in _TABLES],
        of_judges={one.name: measure_tables.laid_out(one) for one in registry.tables(numbers)},
        others=_others(numbers, pictures),
        limitations=numbers["limitations"],
        acoustic=numbers.get("acoustic"),
        study=numbers.get("study"),
        training=training,
        training_state=training_state(training) if training else "",
        metrics=METRICS.values(),
        bone_hu=BONE_HU,
        air_hu=AIR_HU,
    )


def _others(
    numbers: Mapping[str, Any], pictures: Mapping[str, Picture]
) -> dict[str, list[Picture]]:
    """Give the figures that the template has no place for, by the title of their judge."""
    found = {}
    for measure in numbers["measures"].values():
        names = [one for one in measure["figures"] if one in pictures and one not in _PICTURES]
        if names:
            found[measure["title"]] = [pictures[name] for name in names]
    return found


def _tables(numbers: Mapping[str, Any], named: set_tables.Described) -> dict[str, html.Table]:
    """Give the tables that there is something for, by name."""
    training = numbers.get("training")
    tables = {
        "sets": set_tables.sets_table(named),
        "sources": set_tables.sources_table(named),
        "quantiles": set_tables.quantiles_table(named),
        "distances": measure_tables.distances_table(numbers),
        "two_sample": measure_tables.two_sample_table(numbers),
        "discriminator": measure_tables.discriminator_table(numbers),
        "memorization": measure_tables.memorization_table(numbers),
        "tstr": measure_tables.tstr_table(numbers),
        "study": study_table(numbers.get("study")),
        "others": measure_tables.others_table(numbers),
        "made_with": measure_tables.made_with_table(numbers),
        "recipe": recipe_table(training) if training else None,
    }
    return {name: table for name, table in tables.items() if table is not None}


def _sampling(numbers: Mapping[str, Any]) -> str:
    """Say where not all segments were taken."""
    taken = [
        f"{one['compared']:,} of {one['segments']:,} of {LABELS[name].lower()}"
        for name, one in numbers["sets"].items()
        if one["compared"] < one["segments"]
    ]
    sentences = ["All segments were measured."]
    if taken:
        sentences.append(f"Compared were, taken by chance: {', '.join(taken)}.")
    sentences.append(
        f"What grows with the square of a set's size takes fewer: t-SNE {tsne.MOST:,} of all sets "
        f"together, SIFT {min(SIFT_SEGMENTS, MOST_BY_SIFT):,} of a set among "
        f"{min(SIFT_TRAINING, MOST_BY_SIFT):,} training segments, pixel differences among "
        f"{MOST_TRAINING:,}, precision and kernel distance {prdc.MOST:,} of each set."
    )
    return " ".join(sentences)
