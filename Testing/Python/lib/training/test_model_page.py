"""The model card of a training: what it says, what it leaves to people; nothing of a patient."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import TINY, arches, bent_walls
from SkullGANLib.errors import CancelledError
from SkullGANLib.training.loop import train
from SkullGANLib.training.model_page import END_OF_YOURS, YOURS, ModelPage
from SkullGANLib.training.run_directory import Run

RECIPE = replace(TINY, quality_count=6, conditions="bone,thickness")
SOURCE = {
    "scanner": "Acme | One",
    "cts": {"ct-1": {"kernel": "BONE", "voxel_mm": [0.5, 0.5, 1.0], "path": "/home/doe/ct"}},
    "split": {"by": "subjects"},
}


def walls(count: int, seed: int):
    return replace(bent_walls(count, seed), source=SOURCE)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("page") / "john doe"
    train(walls(12, 0), path, RECIPE, held_out=walls(8, 1), license="CC0")
    return Run.open(path)


def card(run: Run) -> str:
    return run.model_path.with_suffix(".md").read_text(encoding="utf-8")


def test_the_card_has_data_terms_training_figures_and_limits(run):
    text = card(run)
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# Model card", "## What it is", "## Data", "## Terms", "## Training", "## Figures",
        "## Limits",
    ]  # fmt: skip
    for expected in (
        "| unknown | 12 | 8 |",
        "**Subjects** (pseudonyms): 3 (0-0, 0-1, 0-2).",
        "**Voxels of the CTs**: voxels 0.5 x 0.5 x 1 mm.",
        "**Scanner**, as far as the sets name it: Acme \\| One.",
        "**Kernel**, as far as the sets name it: BONE.",
        "**Held out by**: subjects.",
        "**License of the weights**: CC0.",
        "**Iterations**: ",
        "latent_size=8",
        "Of the snapshot that is kept, against 6 segments, held out:",
        "| Kolmogorov-Smirnov distance of SDR | ",
        "| correlation of asked and measured thickness | ",
        "- bone: unknown (`--bone`)",
        "(`--thickness-mm VALUE`)",
        "All variation is that of 3 heads",
        "Not for diagnosis",
    ):
        assert expected in text, expected


def test_the_card_has_nothing_of_a_path_or_a_patient(run):
    assert "doe" not in card(run)


def test_what_people_wrote_into_the_card_stays_when_it_is_written_again(tmp_path):
    done: list[tuple[int, int]] = []
    segments = walls(12, 0)
    with pytest.raises(CancelledError):
        train(
            segments,
            tmp_path / "run",
            RECIPE,
            on_progress=lambda *n: done.append(n),
            should_stop=lambda: len(done) == 4,
        )
    path = tmp_path / "run" / "model.md"
    before = path.read_text(encoding="utf-8")
    mine = "- Given by the Hospital of Élan, for research.\n\nNo \\1 redistribution."
    start, end = before.index(YOURS), before.index(END_OF_YOURS)
    path.write_text(f"{before[:start]}{YOURS}\n{mine}\n{before[end:]}", encoding="utf-8")
    train(segments, tmp_path / "run", RECIPE, resume=True)
    after = path.read_text(encoding="utf-8")
    assert mine in after
    assert "Nothing was held out: the figures flatter." in after
    assert after.count(YOURS) == 1


def test_a_card_without_compared_snapshots_says_that_nothing_was_measured(tmp_path):
    model = train(arches(), tmp_path / "run", replace(TINY, epochs=1))
    text = (tmp_path / "run" / "model.md").read_text(encoding="utf-8")
    assert "diversity of the sample grid" in text or "None were measured" in text
    assert "of training until the last report" in text
    page = ModelPage(Run.open(tmp_path / "run"), arches(), None)
    page.write(model, {})
    assert "None were measured" in page.path.read_text(encoding="utf-8")
