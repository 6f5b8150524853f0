"""The page of a study in a real browser: by keys, by clicks, stopped and continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chromium import browser
from SkullGANLib.evaluation.study.study_folder import PAGE, read_key, score_folder
from web_page import WebPage

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.fixture
def page(chromium, study) -> Page:
    """The page, opened from its file without a network; an error in it fails the test."""
    context = chromium.new_context(accept_downloads=True, offline=True)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    opened.goto((study / PAGE).as_uri())
    yield opened
    context.close()
    assert errors == []


def begin(page: Page, reader: str = "Dr. Ä") -> None:
    page.fill("#reader", reader)
    page.click("#begin")


def saved(page: Page, button: str, path: Path) -> dict:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return json.loads(path.read_text("utf-8"))


def shown_case(page: Page) -> str:
    return page.evaluate("name()")


def test_the_page_holds_no_truth_and_loads_nothing(study):
    html = (study / PAGE).read_text("utf-8")
    assert "secret" not in html
    assert all(one.digest not in html for one in read_key(study).cases)
    read = WebPage(html)
    assert read.addresses == []
    assert "6 segments of skull" in read.text


def test_a_reader_answers_all_by_keys_and_the_saved_file_is_scored(page, study, tmp_path):
    truth = read_key(study).truth
    begin(page)
    for _ in range(len(truth)):
        kind = truth[shown_case(page)]
        page.keyboard.press("r" if kind == "real" else "S")
        page.keyboard.press("3")
    assert page.inner_text("#summary") == "Dr. Ä, you have answered all 6 segments."

    answers = saved(page, "#saveEnd", tmp_path / "answers.json")
    assert answers["reader"] == "Dr. Ä"
    assert set(answers["answers"]) == set(truth)
    assert all(one["seconds"] >= 0 for one in answers["answers"].values())
    _, score = score_folder(study, [tmp_path / "answers.json"])
    assert score.rates["accuracy"].value == 1
    assert score.rates["auc"].value == 1


def test_a_reader_answers_by_clicking_and_changes_his_mind(page, tmp_path):
    begin(page)
    first = shown_case(page)
    assert page.is_hidden("#confidences")
    page.click("[data-answer=synthetic]")
    page.click("[data-confidence='1']")
    page.click("[data-answer=unsure]")
    assert page.inner_text("#where") == "3 of 6"
    assert page.evaluate("document.getElementById('progress').value") == 2

    page.click("#back")
    page.click("#back")
    assert shown_case(page) == first
    assert page.get_attribute("[data-answer=synthetic]", "aria-pressed") == "true"
    assert page.get_attribute("[data-confidence='1']", "aria-pressed") == "true"
    page.click("[data-answer=real]")
    page.click("[data-confidence='2']")
    given = saved(page, "#save", tmp_path / "part.json")["answers"]
    assert (given[first]["answer"], given[first]["confidence"]) == ("real", 2)
    assert sorted(one["answer"] for one in given.values()) == ["real", "unsure"]


def test_a_reader_who_comes_back_goes_on_where_he_stopped(page, chromium, study, tmp_path):
    begin(page)
    order = page.evaluate("state.order")
    for _ in range(2):
        page.keyboard.press("u")
    saved(page, "#save", tmp_path / "part.json")
    page.reload()
    begin(page)
    assert page.inner_text("#where") == "3 of 6"
    assert page.evaluate("state.order") == order

    page.reload()
    begin(page, "somebody else")  # has his own order and answers
    assert page.inner_text("#where") == "1 of 6"

    elsewhere = chromium.new_context().new_page()
    elsewhere.goto((study / PAGE).as_uri())
    elsewhere.set_input_files("#resume", tmp_path / "part.json")
    elsewhere.wait_for_selector("#reading:not([hidden])")
    assert elsewhere.inner_text("#where") == "3 of 6"
    elsewhere.reload()
    (tmp_path / "other.json").write_text('{"format": "other"}')
    elsewhere.set_input_files("#resume", tmp_path / "other.json")
    elsewhere.wait_for_function("document.getElementById('message').textContent")
    assert "no answers to this study" in elsewhere.inner_text("#message")
    elsewhere.context.close()


def test_window_and_zoom_change_the_picture_and_reset_takes_it_back(page):
    begin(page)
    brightest = (
        "context.getImageData(0, 0, picture.width, picture.height).data"
        ".reduce((most, gray, k) => k % 4 < 3 && gray > most ? gray : most, 0)"
    )
    at_first = page.evaluate(brightest), page.evaluate("picture.width")
    assert at_first[0] > 150  # walls of 1500 HU in a window of 0 to 2000
    for _ in range(6):
        page.keyboard.press("]")
    assert page.evaluate(brightest) < at_first[0]
    page.keyboard.press("+")
    assert page.evaluate("picture.width") > 1.2 * at_first[1]
    page.hover("#picture")
    page.mouse.wheel(0, 100)
    page.keyboard.press("p")
    page.keyboard.press("0")
    assert (page.evaluate(brightest), page.evaluate("picture.width")) == at_first

    before = page.inner_text("#window")
    box = page.locator("#picture").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 40)
    page.mouse.up()
    assert page.inner_text("#window") != before


def test_without_a_name_nobody_begins_and_a_page_that_keeps_nothing_says_so(page):
    page.click("#begin")
    assert "Enter your name" in page.inner_text("#message")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    begin(page)
    page.keyboard.press("u")
    assert "save the answers before you close" in page.inner_text("#note")
