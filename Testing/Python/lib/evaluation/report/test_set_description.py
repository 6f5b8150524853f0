"""The report: one page that opens offline, says what it shows, and lies in no number."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.evaluation.report import set_description
from SkullGANLib.plots import contact_sheet, html
from SkullGANLib.training import recipe
from SkullGANLib.training.run_directory import Run, Status


def walls(dips_hu: list[int]) -> np.ndarray:
    """A segment for each dip: 1500 HU, the dip, 1500 HU, four rows each: SDR is dip / 1500."""
    hu = np.zeros((len(dips_hu), 128, 128), np.int16)
    hu[:, 20:32] = 1500
    hu[:, 24:28] = np.array(dips_hu)[:, None, None]
    return hu


@pytest.fixture
def real() -> SegmentSet:
    """Ten segments of two subjects, SDR 0.30, 0.32, ..., 0.48, thickness 5.4 mm."""
    hu = walls(list(range(450, 750, 30)))
    return SegmentSet(
        hu=hu,
        mask=(hu != 0).astype(np.uint8),
        pixel_to_ras=np.tile(np.eye(4), (10, 1, 1)),
        subject=np.array(["a", "b"] * 5),
        bone=np.array(["temporal"] * 6 + ["parietal"] * 4),
        side=np.array(["left", "right"] * 5),
        plane=np.array(["axial"] * 10),
        seed=np.full(10, -1),
        kind="real",
        source={"scanner": "GE LightSpeed", "kernel": "BONEPLUS", "slice_thickness_mm": 0.625},
    )


@pytest.fixture
def synthetic() -> SegmentSet:
    hu = walls(list(range(600, 1200, 30)))
    ct = {"kernel": "BONEPLUS", "slice_thickness_mm": 0.625}
    source = {"recipe": "demo", "trained_on": {"segments": 10, "source": ct}}
    return segment_set.without_patient(hu, hu != 0, np.arange(20), source=source)


@pytest.fixture
def run(tmp_path) -> Run:
    run = Run.create(tmp_path / "run", recipe.named("paper"))
    for iteration in range(0, 1000, 10):
        run.add_event(
            {
                "time": 1.7e9 + iteration,
                "epoch": iteration // 100,
                "iteration": iteration,
                "generator_loss": 2.0,
                "discriminator_loss": iteration / 1000,
                "realness_real": 0.7,
                "realness_fake": 0.25,
                "generator_learning_rate": 3e-4,
                "images_per_s": 50.0,
            }
        )
    run.write_status(Status("finished", pid=1, progress=1.0, message="All done."))
    for iteration, level in ((90, 500), (990, 1000)):
        contact_sheet.write_contact_sheet(run.sample_path(iteration), walls([level] * 4))
    return run


class Page(HTMLParser):
    """What a browser would find in a page: tags, addresses and visible text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_opens_offline_and_can_be_mailed(tmp_path, real, synthetic, run):
    path = set_description.write_report(
        tmp_path / "report", {"Real": real, "Synthetic": synthetic}, run=run.path
    )

    page = Page(path)
    assert path == tmp_path / "report" / "report.html"
    assert page.tags.count("img") == 5  # two sheets, violins, curves, samples
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import", path.read_text("utf-8"))
    assert path.stat().st_size < 5_000_000


def test_every_picture_of_the_page_lies_beside_it(tmp_path, real, synthetic, run):
    folder = tmp_path / "report"
    page = Page(set_description.write_report(folder, {"A": real, "B": synthetic}, run=run.path))

    embedded = {base64.b64decode(address.split(",")[1]) for address in page.addresses}

    assert embedded == {path.read_bytes() for path in folder.glob("*.png")}
    assert sorted(path.name for path in folder.iterdir()) == [
        "distributions.png", "report.html", "report.json", "samples.png",
        "segments-1-a-real.png", "segments-2-b-synthetic.png", "training.png",
    ]  # fmt: skip


def test_the_same_sets_and_run_give_the_same_bytes(tmp_path, real, synthetic, run):
    folders = [tmp_path / "first", tmp_path / "ünd sëcond"]
    for folder in folders:
        set_description.write_report(folder, {"Real": real, "Synthetic": synthetic}, run=run.path)

    first, second = ({p.name: p.read_bytes() for p in sorted(f.iterdir())} for f in folders)

    assert first == second


def test_the_json_holds_the_numbers_worked_out_by_hand(tmp_path, real, synthetic, run):
    set_description.write_report(tmp_path, {"Real": real, "Synthetic": synthetic}, run=run.path)

    numbers = json.loads((tmp_path / "report.json").read_text("utf-8"))

    described = numbers["sets"]["Real"]
    assert (described["segments"], described["subjects"]) == (10, 2)
    assert described["bones"] == {"parietal": 4, "temporal": 6}
    sdr = described["metrics"]["sdr_peaks"]
    assert sdr["n"] == 10
    assert sdr["mean"] == pytest.approx(0.39)
    assert sdr["sd"] == pytest.approx(0.02 * np.sqrt(82.5 / 9))  # of 0, 1, ..., 9 steps of 0.02
    assert sdr["quantiles"]["0.5"] == pytest.approx(0.39)
    assert described["metrics"]["thickness_mm"]["mean"] == pytest.approx(5.4)
    assert described["metrics"]["thickness_mm"]["sd"] == pytest.approx(0)
    assert numbers["sets"]["Synthetic"]["metrics"]["sdr_peaks"]["mean"] == pytest.approx(0.59)
    assert numbers["sdr_definition"] == "peaks"
    assert numbers["training"]["reports"] == 100
    curves = numbers["training"]["curves"]
    assert curves["Loss"]["discriminator"]["value"][-1] == 0.99
    assert curves["Realness given by the discriminator"]["fake"]["value"] == [0.25] * 100
    assert list(curves["Learning rate"]) == ["generator"]


def test_the_page_says_what_is_not_from_patients_and_how_sdr_was_taken(tmp_path, real, synthetic):
    page = Page(set_description.write_report(tmp_path, {"Heads": real, "Made": synthetic}))

    assert "Not from patients: Made" in page.text.replace(" .", ".")
    assert "must not be used for diagnosis" in page.text
    assert "Heads: kernel BONEPLUS, 0.625 mm slices, pixel 0.45 mm" in page.text
    assert "Made: learned from kernel BONEPLUS, 0.625 mm slices, pixel 0.45 mm" in page.text
    assert "SDR (peaks; kernel BONEPLUS, 0.625 mm slices, pixel 0.45 mm)" in page.text
    assert "0.390 ± 0.061" in page.text
    assert "How the network was trained" not in page.text


def test_real_segments_alone_carry_no_warning(tmp_path, real):
    page = set_description.write_report(tmp_path, {"Heads": real}).read_text("utf-8")

    assert 'class="warning"' not in page


def test_soft_kernels_and_unlike_pixels_are_warned_of(tmp_path, real, synthetic):
    soft = replace(real, source={"kernel": ["BONEPLUS", "STANDARD"]}, pixel_spacing_mm=0.5)

    page = Page(set_description.write_report(tmp_path, {"Soft": soft, "Made": synthetic}))

    assert "soft kernel STANDARD" in page.text
    assert "soft kernel BONEPLUS" not in page.text
    assert "differ in pixel size" in page.text


def test_segments_that_cannot_be_measured_are_counted(tmp_path, real):
    hu = real.hu.copy()
    hu[3] = 0
    page = Page(set_description.write_report(tmp_path, {"Heads": replace(real, hu=hu)}))

    assert "1 of 10 segments of Heads have no column of bone" in page.text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_sets_of_hardly_any_segment_are_reported(tmp_path, synthetic, count):
    folder = tmp_path / "report"
    set_description.write_report(folder, {"Few": synthetic[:count], "All": synthetic})

    numbers = json.loads((folder / "report.json").read_text("utf-8"))

    few = numbers["sets"]["Few"]["metrics"]["sdr_peaks"]
    assert few["n"] == count
    assert (few["sd"] is None) == (count < 2)
    assert (few["mean"] is None) == (count < 1)
    assert (folder / "segments-1-few-synthetic.png").exists() == (count > 0)
    assert "NaN" not in (folder / "report.json").read_text("utf-8")


def test_what_files_say_cannot_become_html(tmp_path, real):
    evil = "<script>alert('$1')</script> & \"quoted\" $x_1$"
    sets = {evil: replace(real, source={evil: evil, "kernel": evil}, created_by=evil)}

    path = set_description.write_report(tmp_path, sets, title=evil)

    page = Page(path)
    assert "script" not in page.tags
    assert "<script>" not in path.read_text("utf-8")
    assert page.text.count(evil) >= 5


def test_many_sets_of_many_segments_stay_light_enough_to_mail(tmp_path):
    rng = np.random.default_rng(0)
    hu = walls(list(rng.integers(300, 1200, 400)))
    hu[hu != 0] += rng.normal(0, 80, np.count_nonzero(hu)).astype(np.int16)
    many = segment_set.without_patient(hu, hu != 0, np.arange(400))

    path = set_description.write_report(tmp_path, {f"Set {i}": many[i::2] for i in range(6)})

    assert path.stat().st_size < 5_000_000


def test_a_run_that_has_only_begun_is_reported(tmp_path, real):
    run = Run.create(tmp_path / "run", recipe.named("paper"))

    page = Page(set_description.write_report(tmp_path / "report", {"Heads": real}, run=run.path))

    assert "State: not started" in page.text
    assert "No losses were reported." in page.text


def test_a_run_that_diverged_crashed_or_lost_its_pictures_is_reported(tmp_path, real, run):
    run.add_event({"iteration": 1000, "generator_loss": float("nan")})
    run.add_event({"generator_loss": 1.0})
    with open(run.events_path, "a", encoding="utf-8") as file:
        file.write('{"iteration": 1010, "generator_lo')
    run.samples()[-1].write_bytes(b"not a picture")
    folder = tmp_path / "report"

    page = Page(set_description.write_report(folder, {"Heads": real}, run=run.path))

    numbers = json.loads((folder / "report.json").read_text("utf-8"))
    assert numbers["training"]["reports"] == 102
    assert len(numbers["training"]["curves"]["Loss"]["generator"]["value"]) == 100
    assert page.tags.count("img") == 3
    assert not (folder / "samples.png").exists()


def test_the_latest_samples_are_the_ones_shown(tmp_path, real, run):
    set_description.write_report(tmp_path / "report", {"Heads": real}, run=run.path)

    with (
        Image.open(tmp_path / "report" / "samples.png") as shown,
        Image.open(run.sample_path(990)) as latest,
    ):
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(latest))


def test_no_set_and_no_run_are_refused(tmp_path, real):
    with pytest.raises(BadInputError, match="at least one is needed"):
        set_description.write_report(tmp_path / "report", {})
    with pytest.raises(BadInputError, match=r"nothing: .*run"):
        set_description.write_report(tmp_path / "report", {"Heads": real}, run=tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, real):
    (tmp_path / "taken").write_text("in the way")

    with pytest.raises(OutputError, match="taken"):
        set_description.write_report(tmp_path / "taken", {"Heads": real})


def test_a_summary_leaves_out_what_is_not_a_number():
    found = set_description.summarize(np.array([1.0, np.nan, 2.0, 3.0, np.inf]))

    assert found == {
        "n": 3, "mean": 2.0, "sd": 1.0, "minimum": 1.0, "maximum": 3.0,
        "quantiles": {"0.05": 1.1, "0.25": 1.5, "0.5": 2.0, "0.75": 2.5, "0.95": 2.9},
    }  # fmt: skip


def test_a_table_sets_its_numbers_to_the_right():
    table = html.table(("<Name>", "n"), [("a", "1")], numbers_from=1)

    assert '<th scope="col">&lt;Name&gt;</th><th scope="col" class="number">n</th>' in table
    assert '<th scope="row">a</th><td class="number">1</td>' in table
