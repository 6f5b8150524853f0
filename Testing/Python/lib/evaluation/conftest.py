"""One evaluation of four small sets, which many tests only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import four_sets, narrow_model
from SkullGANLib import cli
from SkullGANLib.data import hdf5
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.networks import model_file


@pytest.fixture(scope="session")
def sets() -> dict[str, evaluation_set.EvaluationSet]:
    """Four sets of 30 segments; the synthetic segments 4 and 9 are copies of training segments."""
    return evaluation_set.prepare_sets(four_sets())


@pytest.fixture(scope="session")
def found(sets) -> evaluation.Evaluation:
    """What all judges make of them."""
    return evaluation.evaluate(sets, model=narrow_model())


@pytest.fixture(scope="session")
def evaluated_folder(tmp_path_factory) -> Path:
    """What the command makes of the same sets and model, where an old report lies."""
    given = tmp_path_factory.mktemp("given")
    arguments = ["--model", str(given / "model.safetensors")]
    model_file.write(given / "model.safetensors", narrow_model())
    for name, one in four_sets().items():
        hdf5.write(given / f"{name}.h5", one)
        arguments += [f"--{name}", str(given / f"{name}.h5")]
    folder = tmp_path_factory.mktemp("made") / "ünd report"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "old.png").write_text("old")
    (folder / "notes.txt").write_text("mine")
    command = ["evaluate", *arguments, "-o", str(folder), "--device", "cpu"]
    assert cli.main([*command, "--overwrite"]) == 1  # figures of an unknown owner
    (folder / "report.html").write_text("old")
    assert cli.main(command) == 1  # without --overwrite
    assert (folder / "figures" / "old.png").exists()
    assert cli.main([*command, "--overwrite"]) == 0
    return folder
