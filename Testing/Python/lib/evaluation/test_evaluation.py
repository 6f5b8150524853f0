"""The evaluation: every measure put to the sets that there are, and what cannot be said, said."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
import torch
from examples import COUNT, four_sets, narrow_model
from examples import bent_walls as walls
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.measures import realness
from SkullGANLib.evaluation.measures.registry import MEASURES
from SkullGANLib.evaluation.report import reader, writer
from SkullGANLib.networks import model_file


def answer(question: str, sets, found) -> answers.Answer:
    (one,) = [each for each in answers.answers(sets, found) if each.question == question]
    return one


@pytest.fixture(scope="module")
def sets() -> dict[str, evaluation_set.EvaluationSet]:
    return evaluation_set.prepare_sets(four_sets())


@pytest.fixture(scope="module")
def found(sets) -> evaluation.Evaluation:
    return evaluation.evaluate(sets, model=narrow_model())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
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
    assert cli.main([*command, "--overwrite"]) == 1  # whose figures these are, nobody knows
    (folder / "report.html").write_text("old")
    assert cli.main(command) == 1  # without --overwrite
    assert (folder / "figures" / "old.png").exists()
    assert cli.main([*command, "--overwrite"]) == 0
    return folder


def test_several_files_make_one_set_of_which_some_are_drawn_and_all_measured(tmp_path):
    first, second = walls(5, 0), walls(7, 1)
    hdf5.write(tmp_path / "a.h5", first)
    hdf5.write(tmp_path / "b.h5", second)
    paths = {"test": [tmp_path / "a.h5", tmp_path / "b.h5"]}

    one, again = (evaluation_set.read(paths, most=6, seed=3)["test"] for _ in range(2))

    both = segment_set.concatenate([first, second])
    assert (len(one), len(one.segments), one.files) == (12, 6, ("a.h5", "b.h5"))
    np.testing.assert_array_equal(one.segments.hu, both.hu[one.place])
    np.testing.assert_array_equal(one.place, again.place)
    assert np.isfinite(one.metrics["thickness_mm"]).sum() == 12
    assert len(one.subjects) == 6


def test_sets_of_another_pixel_size_are_refused_and_rounding_is_not():
    with pytest.raises(BadInputError, match=r"test set: its pixels are 0\.5 mm.*0\.45 mm"):
        evaluation_set.prepare_sets({"train": walls(2, 0), "test": walls(2, 1, pixel_spacing_mm=0.5)})
    rounded = walls(2, 1, pixel_spacing_mm=0.45001)
    sets = evaluation_set.prepare_sets({"train": walls(2, 0), "test": rounded})
    assert sets["test"].segments.pixel_spacing_mm == 0.45


def test_sets_of_other_hu_ranges_are_cut_to_what_they_share_and_it_is_said():
    sets = evaluation_set.prepare_sets(
        {"train": walls(3, 0), "synthetic": walls(3, 1, "synthetic", hu_range=(0, 1300))}
    )
    assert sets["train"].segments.hu.max() == 1300
    assert sets["train"].segments.hu_range == (0, 1300)
    assert any("HU ranges differ" in one for one in evaluation_set.concerns(sets))
    with pytest.raises(BadInputError, match="nothing in common"):
        evaluation_set.prepare_sets({"train": walls(2, 0), "test": walls(2, 1, hu_range=(-1000, -500))})


def test_empty_sets_and_mixed_kinds_are_refused_by_name(tmp_path):
    hdf5.write(tmp_path / "none.h5", walls(2, 0)[:0])
    with pytest.raises(BadInputError, match=r"none\.h5: the test set holds no segment"):
        evaluation_set.read({"test": [tmp_path / "none.h5"]})
    hdf5.write(tmp_path / "a.h5", walls(2, 0))
    hdf5.write(tmp_path / "b.h5", walls(2, 0, "synthetic"))
    with pytest.raises(BadInputError, match="files of kind real and synthetic"):
        evaluation_set.read({"train": [tmp_path / "a.h5", tmp_path / "b.h5"]})


def test_shared_subjects_identical_segments_and_wrong_kinds_are_concerns():
    train = walls(6, 0)
    test = segment_set.concatenate([train[:2], walls(4, 1)])
    sets = evaluation_set.prepare_sets({"train": train, "test": test, "synthetic": train[3:5]})

    said = " ".join(evaluation_set.concerns(sets))

    assert "SHARE 2 SUBJECTS of 5" in said
    assert "2 of 6 SEGMENTS OF TEST ARE IDENTICAL" in said
    assert "2 of 2 SEGMENTS OF SYNTHETIC ARE IDENTICAL" in said
    assert "The synthetic set is of kind real" in said
    assert evaluation_set.concerns(evaluation_set.prepare_sets({"train": train})) == []


def test_real_sets_of_other_kernels_are_a_concern():
    train, test = walls(2, 0, source={"kernel": "BONE"}), walls(2, 1)
    sets = evaluation_set.prepare_sets({"train": train, "test": test})
    (said,) = evaluation_set.concerns(sets)
    assert "kernels differ (training: BONE; test: not recorded)" in said


def test_distances_of_moved_distributions_are_how_far_they_moved():
    values = {name: np.arange(10.0) for name in evaluation.COMPARED}
    moved = {name: np.append(each + 3, np.nan) for name, each in values.items()}

    one = evaluation.metric_distances(values, moved)["sdr_peaks"]

    assert one.wasserstein == pytest.approx(3)
    assert one.ks == pytest.approx(0.3)
    assert one.measured == (10, 10)


def test_planted_copies_are_found_and_shown_first(sets, found):
    for way in ("mse", "sift"):
        assert set(found.memorization[way].verdict.copies) == {4, 9}
        shown = figures.pairs(found.memorization[way])
        assert set(shown[:2]) == {4, 9}
    assert found.memorization["mse"].synthetic.nearest[[4, 9]].tolist() == [7, 11]
    copying = answer("Are they copies?", sets, found)
    assert copying.short == "Yes, at least 2"
    assert "1 of 30 synthetic segments equal a training segment" in copying.reasons[0]
    assert "2 COPIES among 30" in copying.reasons[1]


def test_every_measure_is_there_and_what_has_no_set_is_said(found):
    assert found.reference == "test"
    assert list(found.judges) == list(found.distances) == ["train", "synthetic", "artificial"]
    assert list(found.embedding) == ["metrics", "pixels"]
    assert list(found.usefulness) == ["thickness_mm", "sdr_peaks"]
    assert found.judges["synthetic"].test.by_subject
    assert list(found.discriminator.share) == ["train", "test", "synthetic", "artificial"]
    assert list(found.discriminator.roc) == ["synthetic", "artificial"]
    assert any("no control set" in one for one in found.unsaid)
    assert any("test set has 3 subjects" in one for one in found.unsaid)
    assert found.learned.fidelity.compared == (COUNT, COUNT)
    assert found.learned.fidelity.recall.value > 0  # the two copies lie in the training set


def test_the_share_judged_real_is_counted_from_the_discriminator(sets, found):
    values = found.discriminator.realness["synthetic"]
    with torch.inference_mode():
        images = model_file.from_hu(sets["synthetic"].segments.hu, segment_set.HU_RANGE)
        truth = narrow_model().discriminator.realness(images).numpy()
    np.testing.assert_allclose(values, truth, atol=1e-6)
    assert found.discriminator.share["synthetic"].value == np.mean(values >= 0.5)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers(sets, found, folder):
    """Once in memory and once by the command."""
    numbers = json.loads((folder / "report.json").read_text("utf-8"))
    again = writer.numbers_of(sets, found, {})
    assert list(again["sets"]) == list(numbers["sets"])
    for part in ("distances", "tsne", "discriminator", "judges", "learned", "memorization",
                 "usefulness", "answers"):  # fmt: skip
        assert json.loads(json.dumps(again[part])) == numbers[part]


def test_a_model_of_other_pixels_is_refused():
    with pytest.raises(BadInputError, match=r"model judges pixels of 0\.6 mm"):
        realness.of_segments(narrow_model(pixel_spacing_mm=0.6), walls(2, 0))


@pytest.mark.parametrize("names", [["synthetic"], ["test"], ["train", "synthetic"]])
def test_of_single_segments_and_missing_sets_it_is_said_what_cannot_be_said(names):
    sets = evaluation_set.prepare_sets({name: four_sets()[name][:1] for name in names})

    found = evaluation.evaluate(sets)

    assert len(found.unsaid) >= 4
    assert not found.embedding
    assert answer("Are they of use?", sets, found).short == "Not known"
    assert answer("Are they like real ones?", sets, found).short == "Not known"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("names", [["synthetic"], ["train", "test", "synthetic"]])
def test_a_generator_that_collapsed_to_nothing_is_evaluated_too(names):
    nothing = np.zeros((COUNT, 128, 128))
    given = four_sets() | {"synthetic": segment_set.without_patient(nothing, nothing, range(COUNT))}
    sets = evaluation_set.prepare_sets({name: given[name] for name in names})

    found = evaluation.evaluate(sets)

    assert writer.numbers_of(sets, found, {})["answers"]
    assert any("Only 1 of the 30 segments of synthetic differ" in one
               for one in evaluation_set.concerns(sets))  # fmt: skip
    if "test" in names:
        assert found.judges["synthetic"].test.accuracy.value > 0.95
        assert found.judges["synthetic"].fidelity.precision.value == 0
        assert any("0 synthetic segments" in one for one in found.unsaid)
    else:
        assert any("segments that are all alike" in one for one in found.unsaid)


@pytest.mark.slow
def test_the_page_opens_offline_and_can_be_mailed(folder):
    text = (folder / "report.html").read_text("utf-8")
    assert len(text) < 5_000_000
    assert not re.search(r"<(script|link|iframe)|url\(|@import|(src|href)=\"(?!data:)", text)
    pngs = {path.stem for path in (folder / "figures").glob("*.png")}
    assert pngs == {path.stem for path in (folder / "figures").glob("*.svg")}
    assert text.count("<img") == len(pngs) == 9
    assert "Are they copies?" in text
    assert "must NOT be read as a probability" in text or "Nothing speaks against" in text


@pytest.mark.slow
def test_every_number_and_every_segment_lies_beside_the_page(folder, sets, found):
    numbers = json.loads((folder / "report.json").read_text("utf-8"))
    assert (numbers["settings"]["seed"], numbers["settings"]["most"]) == (0, 4000)
    assert numbers["settings"]["files"]["test"] == ["test.h5"]
    assert numbers["memorization"]["mse"]["verdict"]["copies"] == [4, 9]
    assert {"skullgan", "python", "numpy", "scikit-learn"} <= numbers["versions"].keys()
    with open(folder / "numbers.csv", newline="", encoding="utf-8") as file:
        flat = dict(csv.reader(file))
    told = found.judges["synthetic"].test.auc.value
    assert float(flat["judges/synthetic/test/auc/value"]) == pytest.approx(told)
    with open(folder / "segments.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["set"] for row in rows] == [name for name in sets for _ in range(COUNT)]
    copy = rows[2 * COUNT + 4]
    assert (copy["mse_verdict"], copy["mse_nearest"], copy["mse_ratio"]) == ("copy", "7", "0")
    assert float(copy["thickness_mm"]) == pytest.approx(
        rows[7]["thickness_mm"] and float(rows[7]["thickness_mm"])
    )
    assert all(row["realness"] and row["tsne_pixels_x"] for row in rows)


@pytest.mark.slow
def test_a_report_read_again_holds_every_column_and_finds_its_segments(folder, sets, found):
    report = reader.read(folder)

    assert report.page.is_file()
    assert len(report.pictures) == 9
    assert report.model.name == "model.safetensors"
    assert report.model.is_file()
    assert report.numbers["reference"] == "test"
    told = writer.table_of(sets, found)
    assert list(report.sets) == list(told)
    for name, columns in told.items():
        one = report.sets[name]
        assert (len(one), one.kind) == (COUNT, sets[name].segments.kind)
        assert list(one.columns) == list(columns)
        for column, values in columns.items():
            again = one.columns[column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(again, values, rtol=1e-5, err_msg=column)
            else:
                np.testing.assert_array_equal(again, values, err_msg=column)
        np.testing.assert_array_equal(one.segments([5, 2]).hu, four_sets()[name].hu[[5, 2]])


@pytest.mark.slow
def test_a_copy_read_again_lies_over_what_it_was_copied_from(folder):
    report = reader.read(folder)

    as_it_is, turned = (report.pair("mse", place) for place in (4, 9))

    assert (as_it_is.training_place, turned.training_place) == (7, 11)
    assert (as_it_is.flipped, turned.flipped) == (False, True)
    assert as_it_is.verdict == turned.verdict == "copy"
    for pair in (as_it_is, turned):
        assert np.nanmax(np.abs(pair.difference)) == 0
        np.testing.assert_array_equal(pair.aligned, pair.segment.hu[0])
    assert report.pair("sift", 0, "test").verdict == ""
    assert not report.has_pair("mse", 0, "artificial")
    with pytest.raises(BadInputError, match="nearest training segment of segment 0 of artificial"):
        report.pair("mse", 0, "artificial")


def test_a_report_moved_with_its_sets_finds_them_and_says_if_they_were_changed(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        hdf5.write(tmp_path / "here" / f"{name}.h5", walls(3, seed))
    paths = {"test": [tmp_path / "here" / "a.h5", tmp_path / "here" / "b.h5"]}
    sets = evaluation_set.read(paths)
    writer.write(tmp_path / "here" / "r", sets, evaluation.evaluate(sets), settings={})
    (tmp_path / "here").rename(tmp_path / "there")

    one = reader.read(tmp_path / "there" / "r").sets["test"]

    assert one.where(4) == (tmp_path / "there" / "b.h5", 1)
    np.testing.assert_array_equal(one.segments([4]).hu[0], walls(3, 1).hu[1])
    with pytest.raises(IndexError):
        one.where(6)
    hdf5.write(tmp_path / "there" / "b.h5", walls(3, 2))
    with pytest.raises(BadInputError, match=r"b\.h5: its segment 1 is not the one"):
        one.segments([4])
    (tmp_path / "there" / "b.h5").unlink()
    with pytest.raises(BadInputError, match=r"b\.h5: there is no such file"):
        one.segments([4])


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"title": "no evaluation"}', '{"paths": {"sets": {}, "model": 1}}']
)
def test_what_is_no_report_is_refused_by_its_folder(tmp_path, text):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
        (tmp_path / "segments.csv").write_text("set,segment\n")
    with pytest.raises(BadInputError, match=re.escape(str(tmp_path))):
        reader.read(tmp_path)


@pytest.mark.slow
def test_a_new_report_replaces_the_old_one_and_leaves_what_is_not_its_own(folder):
    assert not (folder / "figures" / "old.png").exists()
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_folder_that_is_a_file_or_has_other_figures_is_named(tmp_path, sets, found):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file: is a file"):
        writer.write(tmp_path / "file", sets, found, settings={})
    (tmp_path / "figures").mkdir()
    with pytest.raises(OutputError, match="figures: is there already and of no report"):
        writer.write(tmp_path, sets, found, settings={})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures", "file"]


def test_the_command_warns_loudly_and_reports_on_few_segments_of_larger_sets(tmp_path, capsys):
    train = walls(6, 0)
    hdf5.write(tmp_path / "train.h5", train)
    hdf5.write(tmp_path / "test.h5", segment_set.concatenate([train[:1], walls(6, 1)]))
    given = ["--train", str(tmp_path / "train.h5"), "--test", str(tmp_path / "test.h5")]
    command = ["evaluate", *given, "-o", str(tmp_path / "report"), "--most", "3"]

    assert cli.main(command) == 0

    assert "WARNING: TRAINING AND TEST SHARE 1 SUBJECT" in capsys.readouterr().err
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "TRAINING AND TEST SHARE 1 SUBJECT" in page
    assert "3 of 7 of test" in page
    assert "There is no synthetic set" in page
    assert cli.main([*command, "--overwrite", "--model", str(tmp_path / "train.h5")]) == 1
    assert "train.h5" in capsys.readouterr().err
    assert (tmp_path / "report" / "report.html").read_text("utf-8") == page
