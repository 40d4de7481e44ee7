"""`retronet read`: what is read, in every arithmetic, what is drawn, and what is refused in one sentence."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from retronet.datasets import load
from retronet.evaluate import least_confidence
from retronet.reading.compose import compose
from retronet.reading.pictures import png_bytes
from retronet.runs.run import open_run

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a page of three lines, and what stands in them."""
    test = load("digits5k").test
    codes = [compose(test, 5, 2, number, "easy") for number in range(3)]
    levels = np.full((3 * 96, max(code.levels.shape[1] for code in codes)), 235, np.uint8)
    for number, code in enumerate(codes):
        levels[96 * number : 96 * (number + 1), : code.levels.shape[1]] = code.levels
    path = tmp_path_factory.mktemp("pictures") / "page.png"
    path.write_bytes(png_bytes(levels))
    return path, [code.text for code in codes]


def read_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("read", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["schema"] == "retronet/reading/1"
    return dict(printed)


def same(texts: list[str], wanted: list[str]) -> float:
    pairs = [
        (a, b) for one, other in zip(texts, wanted, strict=True) for a, b in zip(one, other, strict=True)
    ]
    return sum(a == b for a, b in pairs) / len(pairs)


def test_a_page_is_read_line_by_line(call: Call, trained: Any, page: tuple[Path, list[str]]) -> None:
    path, codes = page
    printed = read_json(call, path, trained.folder, "--digits", 5, "--least-confidence", 0)
    (picture,) = printed["pictures"]
    assert picture["file"] == str(path)
    assert same(picture["texts"], codes) >= 0.8, "after two passes the network misses some"
    assert [len(line) for line in picture["lines"]] == [5, 5, 5]
    assert printed["arithmetic"] == "floating point"
    for line, text in zip(picture["lines"], picture["texts"], strict=True):
        assert "".join(str(each["digit"]) for each in line) == text
        for each in line:
            assert 0 <= each["row"] < each["row"] + each["rows"] <= 288
            assert each["confidence"] >= 0
    rows = call(
        "read", path, trained.folder, "--digits", 5, "--least-confidence", 0, "--format", "csv"
    ).stdout
    table = list(csv.DictReader(rows.splitlines()))
    assert [row["line"] for row in table] == ["1"] * 5 + ["2"] * 5 + ["3"] * 5
    assert "".join(row["digit"] for row in table) == "".join(picture["texts"])


def test_digits_are_rejected_by_the_rule_of_the_paper(
    call: Call, trained: Any, page: tuple[Path, list[str]]
) -> None:
    printed = read_json(call, page[0], trained.folder)
    network, digits = open_run(trained.folder).checkpoint().trained, load("digits5k").test
    least = least_confidence(network.outputs(digits.images), digits.labels)
    assert printed["least_confidence"] == pytest.approx(least)
    read = [each for line in printed["pictures"][0]["lines"] for each in line]
    assert [each["rejected"] for each in read] == [each["confidence"] < least for each in read]
    assert "".join(printed["pictures"][0]["texts"]).count("-") == sum(each["rejected"] for each in read)
    strict = read_json(call, page[0], trained.folder, "--least-confidence", 100)
    assert strict["pictures"][0]["texts"] == ["-----"] * 3


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--bits", 12), "fixed point"),
        (("--chip", "dsp32c-80ns"), "dsp32c-80ns"),
        (("--chip", "anna", "--seed", 1, "--set", "noise=0"), "anna"),
        (("--chip", "net32k"), "net32k"),
    ],
)
def test_every_arithmetic_reads(
    call: Call, trained: Any, page: tuple[Path, list[str]], options: tuple[object, ...], name: str
) -> None:
    printed = read_json(call, page[0], trained.folder, "--digits", 5, "--least-confidence", 0, *options)
    assert printed["arithmetic"] == name
    assert same(printed["pictures"][0]["texts"], page[1]) >= (0.7 if name == "fixed point" else 0.6)


def test_several_pictures_are_told_apart(
    call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    dark = tmp_path / "dark.pgm"
    Image.open(page[0]).point(lambda level: 255 - level).save(dark)
    result = call("read", page[0], dark, trained.folder, "--digits", 5)
    assert result.exit_code == 0
    assert result.stdout.count("page.png") == result.stdout.count("dark.pgm") == 3
    assert "Light digits on dark were turned over." in " ".join(result.stdout.split())
    printed = read_json(call, page[0], dark, trained.folder, "--digits", 5)
    assert [each["turned"] for each in printed["pictures"]] == [False, True]


def test_the_steps_are_drawn(call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path) -> None:
    result = call("read", page[0], trained.folder, "--steps", tmp_path / "steps.png", "-q")
    assert result.exit_code == 0
    assert result.stderr == ""
    with Image.open(io.BytesIO((tmp_path / "steps.png").read_bytes())) as drawn:
        pixels = np.asarray(drawn)
    assert pixels.shape[0] > 3 * 288
    assert pixels.std() > 30
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
    twice = call("read", page[0], page[0], trained.folder, "--steps", tmp_path / "other.png")
    assert twice.exit_code == 2
    assert "--steps draws one picture; 2 were given. Name one of them." in twice.stderr


def test_work_is_counted_and_set_beside_what_is_published(
    call: Call, trained: Any, page: tuple[Path, list[str]]
) -> None:
    printed = read_json(call, page[0], trained.folder, "--digits", 5, "--work")["work"]
    board, later = printed["boards"]
    assert [each["stage"] for each in board["stages"]] == [
        "threshold",
        "components",
        "normalisation",
        "network",
    ]
    assert board["stages"][0]["pixels"] * 15 % 16 == 0, "sixteen touches a pixel, for one of 15 digits"
    assert board["stages"][3]["macs"] == 63_660
    assert board["digits_per_s"] > 12, "losses are not modelled"
    assert later["fitted_s"] is None
    assert read_json(call, page[0], trained.folder)["work"] is None
    text = " ".join(call("read", page[0], trained.folder, "--work").stdout.split())
    for sentence in (
        "for a digit: modelled, not measured",
        "Published: 10–12 digits/s, limited mainly by normalisation",
        "Fitted, not modelled: the ",
        "Published: about 2 M connections",
        "Assumed. PC: ",
    ):
        assert sentence in text


def test_a_retrained_run_reads_under_its_own_plan(
    call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    words = (trained.folder, "--bits", 6, "--passes", 1, "--run", tmp_path / "again")
    assert call("retrain", *words).exit_code == 0
    assert read_json(call, page[0], tmp_path / "again")["arithmetic"] == "fixed point, the run's own plan"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("white", "all its pixels are alike; dark digits on light paper"),
        ("black", "all its pixels are alike"),
        ("line", "no piece of ink in its 60 × 300 pixels has the size of a digit"),
        ("words", "it is no picture of a known kind; PNG, JPEG and PGM are allowed"),
        ("moving", "it has 2 frames; one is allowed"),
        ("inks", "its colours are CMYK; grey and RGB are allowed"),
        ("absent", "There is no picture"),
        ("pipe", "it is a pipe or a device; a file is needed"),
    ],
)
def test_what_can_not_be_read_gets_a_sentence(
    call: Call, trained: Any, tmp_path: Path, kind: str, sentence: str
) -> None:
    levels = np.full((60, 300), 0 if kind == "black" else 255, np.uint8)
    if kind == "line":
        levels[30:33] = 0
    path = tmp_path / "picture.png"
    whole = Image.fromarray(levels)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "moving":
        whole.save(path, save_all=True, append_images=[Image.fromarray(255 - levels)])
    elif kind == "inks":
        whole.convert("CMYK").save(path, "JPEG")
    elif kind != "absent":
        path.write_bytes(b"no picture" if kind == "words" else png_bytes(levels))
    result = call("read", path, trained.folder)
    assert result.exit_code == (2 if kind in ("absent", "pipe") else 1)
    assert sentence in result.stderr
    assert result.stderr.count(str(path)) == 1
    assert result.stderr.count("Error") == 1
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_one_bad_picture_of_several_stops_all_before_anything_is_written(
    call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(page[0].read_bytes()[:200])
    (tmp_path / "white.png").write_bytes(png_bytes(np.full((60, 60), 255, np.uint8)))
    for bad in ("bad.png", "white.png", "absent.png"):
        for order in ((page[0], tmp_path / bad), (tmp_path / bad, page[0])):
            result = call("read", *order, trained.folder, "-o", tmp_path / "read.csv")
            assert result.exit_code == (2 if bad == "absent.png" else 1)
            assert result.stdout == ""
            assert bad in result.stderr
            assert not (tmp_path / "read.csv").exists()


def test_a_picture_named_twice_is_read_twice(call: Call, trained: Any, page: tuple[Path, list[str]]) -> None:
    words = ("read", page[0], page[0], trained.folder, "--digits", 5)
    assert len(read_json(call, *words[1:])["pictures"]) == 2
    assert call(*words).stdout.count("page.png") == 6
    assert len(call(*words, "--format", "csv").stdout.splitlines()) == 1 + 30


def test_another_number_of_digits_than_asked_for_is_said(
    call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    said = call("read", page[0], trained.folder, "--digits", 3).stderr
    assert (
        f"{page[0]}, line 2: 5 digits, where --digits says 3: the rest lies too far apart to be put together."
        in said
    )
    levels = np.full((60, 60), 255, np.uint8)
    levels[10:50, 30:33] = 0
    (tmp_path / "stroke.png").write_bytes(png_bytes(levels))
    said = call("read", tmp_path / "stroke.png", trained.folder, "--digits", 9).stderr
    assert "line 1: 1 digit, where --digits says 9: the rest is too narrow to part." in said
    many = [page[0]] * 4
    said = call("read", *many, trained.folder, "--digits", 3).stderr
    assert said.count("where --digits says 3") == 5
    assert "7 more lines have another number of digits than --digits says." in said
    for words in (("--digits", 5), ("--digits", 3, "-q"), ()):
        assert "--digits says" not in call("read", page[0], trained.folder, *words).stderr


def test_steps_go_into_a_folder_that_is_there(
    call: Call, trained: Any, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    refused = call("read", page[0], trained.folder, "--steps", tmp_path / "no" / "steps.png")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"there is no folder {tmp_path / 'no'}. Make it, or name another." in refused.stderr


def test_words_that_are_out_of_place_are_refused(
    call: Call, trained: Any, page: tuple[Path, list[str]]
) -> None:
    alone = call("read", trained.folder)
    assert alone.exit_code == 2
    assert "is a folder, so a run, and no picture goes before it" in alone.stderr
    assert "it is a folder; a file is needed" in call("read", trained.folder, page[0]).stderr
    for words, sentence in (
        (("--seed", 1), "--seed goes with --chip alone"),
        (("--chip", "dsp32c-80ns", "--bits", 8), "--bits does not go with --chip dsp32c-80ns"),
        (("--chip", "nochip"), "There is no chip 'nochip'"),
        (("--chip", "cnaps"), "can not be simulated"),
    ):
        result = call("read", page[0], trained.folder, *words)
        assert result.exit_code == 2, result.output
        assert sentence in result.stderr


def test_a_network_of_another_form_is_refused(
    call: Call, begin: Any, tmp_path: Path, page: tuple[Path, list[str]]
) -> None:
    begin(tmp_path / "run")
    assert call("read", page[0], tmp_path / "run").exit_code == 0
