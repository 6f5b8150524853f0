"""The paper's figures, with their numbers, of whatever sets there are."""

from __future__ import annotations

from PIL import Image
from SkullGANLib.evaluation import evaluation
from SkullGANLib.evaluation.report.paper_figures import CAPTIONS, write_paper_figures


def test_every_figure_of_the_paper_is_written_with_its_number_and_caption(sets, found, tmp_path):
    paths = write_paper_figures(tmp_path, sets, found)

    assert [path.name for path in paths] == [
        f"figure-{number}.png" for number in ("5", "6", "7a", "7b", "7c")
    ]
    for path in paths:
        assert path.with_suffix(".svg").exists()
        with Image.open(path) as picture:
            assert picture.width > 500
    captions = (tmp_path / CAPTIONS).read_text("utf-8").split("\n\n")
    assert [text.split(".")[0] for text in captions] == [
        f"Figure {number}" for number in ("5", "6", "7a", "7b", "7c")
    ]
    assert "training, SkullGAN and artificial sets" in captions[1]
    assert "90 segments" in captions[2]  # 30 of each, none of the test set
    assert "Classified as real: training" in captions[4]


def test_a_figure_without_its_sets_is_left_out_with_the_reason(sets, tmp_path):
    some = {"test": sets["test"]}
    alone = evaluation.evaluate(some)
    assert write_paper_figures(tmp_path, some, alone) == []
    captions = (tmp_path / CAPTIONS).read_text("utf-8")
    assert "Figure 5 was left out: There is no train and no synthetic set" in captions
    assert "Figure 7c was left out: No model was given, expected one for 7c." in captions
