"""`--scan` of `retronet read` and `retronet codes`: lines read without parting them."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from retronet.datasets import load
from retronet.reading.compose import compose
from retronet.reading.pictures import png_bytes
from retronet_cli.views.steps import COLOURS

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def sliding(call: Call, compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """Return the network of 1990 after two passes over the embedded digits."""
    folder = tmp_path_factory.mktemp("runs") / "lenet1"
    result = call("train", "lenet1", "--data", "digits5k", "--passes", 2, "--run", folder, "-q")
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("codes") / "code.png"
    path.write_bytes(png_bytes(compose(load("digits5k").test, 5, 1, 0, "easy").levels))
    return path


def printed(call: Call, *arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_a_line_is_scanned_and_its_work_told(call: Call, sliding: Path, code: Path) -> None:
    words = ("read", code, sliding, "--digits", 5, "--scan")
    found = printed(call, *words)
    assert found["scanned"]
    (line,) = found["pictures"][0]["lines"]
    assert len(line) == 5
    for before, after in pairwise(line):
        assert abs(before["column"] + before["columns"] - after["column"]) <= 1, (
            "digits part the line among them"
        )
    (work,) = found["slid"]
    assert work["separate_macs"] == 94_592 * work["windows"]
    assert work["slid_macs"] < work["separate_macs"] / 2
    result = call(*words)
    assert f"Slid: {work['slid_macs']:,} multiply-adds at {work['windows']} places" in result.stderr
    assert "Scanned by lenet1" in result.stdout
    assert printed(call, "read", code, sliding)["slid"] == []


def test_fixed_point_scans_too(call: Call, sliding: Path, code: Path) -> None:
    words = ("read", code, sliding, "--digits", 5, "--scan", "--least-confidence", 0)
    fixed, floating = printed(call, *words, "--bits", 16), printed(call, *words)
    assert fixed["arithmetic"] == "fixed point"
    assert fixed["pictures"][0]["texts"] == floating["pictures"][0]["texts"]


@pytest.mark.parametrize(
    ("chip", "options"), [("dsp32c-80ns", ()), ("anna", ("--set", "noise=0")), ("net32k", ())]
)
def test_chips_scan_too(call: Call, sliding: Path, code: Path, chip: str, options: tuple[str, ...]) -> None:
    words = ("read", code, sliding, "--digits", 5, "--scan", "--least-confidence", 0)
    found, floating = printed(call, *words, "--chip", chip, *options), printed(call, *words)
    assert found["arithmetic"] == chip
    (line,) = found["pictures"][0]["texts"]
    wanted = floating["pictures"][0]["texts"][0]
    assert sum(a == b for a, b in zip(line, wanted, strict=True)) >= (5 if chip.startswith("dsp") else 3)
    assert found["slid"] == floating["slid"]


def test_the_time_of_a_scan_is_that_of_the_slid_network(call: Call, sliding: Path, code: Path) -> None:
    words = ("read", code, sliding, "--digits", 5, "--scan", "--work")
    found = printed(call, *words)
    (slid,) = found["slid"]
    board = found["work"]["boards"][0]
    assert board["stages"][3]["macs"] == slid["slid_macs"] / 5
    (dsp, anna) = found["slid_times"]
    assert (dsp["chip"], anna["chip"]) == ("dsp32c-80ns", "anna")
    assert board["stages"][3]["seconds"] == pytest.approx(dsp["slid_s"] / 5)
    assert dsp["slid_s"] < dsp["separate_s"]
    text = " ".join(call(*words).stdout.split())
    assert "lenet1 slid over the lines" in text
    assert f"multiply-adds {slid['slid_macs']:,} {slid['separate_macs']:,}" in text
    assert call(*words, "-q").stderr == ""


def test_the_steps_of_a_scan_are_drawn(call: Call, sliding: Path, code: Path, tmp_path: Path) -> None:
    """The ink of the line is coloured by digits, and the strip stands below it."""
    words = ("read", code, sliding, "--digits", 5, "--steps")
    assert call(*words, tmp_path / "scan.png", "--scan", "-q").exit_code == 0
    assert call(*words, tmp_path / "parted.png", "-q").exit_code == 0
    sheets = []
    for name in ("scan.png", "parted.png"):
        with Image.open(tmp_path / name) as drawn:
            sheets.append(np.asarray(drawn.convert("RGB")))
    for sheet in sheets:
        for colour in COLOURS[:5]:
            assert (sheet == colour).all(axis=2).any()
    assert sheets[0].shape != sheets[1].shape


def test_codes_are_scanned_beside_being_parted(call: Call, sliding: Path) -> None:
    words = ("codes", sliding, "--count", 10, "--difficulty", "easy")
    scan, parted = printed(call, *words, "--scan"), printed(call, *words)
    assert (scan["scanned"], parted["scanned"]) == (True, False)
    (one,), (other,) = scan["scores"], parted["scores"]
    assert one["direct_string_misses"] == other["direct_string_misses"]
    assert 0 < one["digit_errors"] < 45, "better than guessing"
    assert ", scanned: codes of 5 test digits" in " ".join(call(*words, "--scan").stdout.split())


def test_what_can_not_be_scanned_is_refused(call: Call, sliding: Path, trained: Any, code: Path) -> None:
    fixed = call("read", code, trained.folder, "--digits", 5, "--scan")
    assert fixed.exit_code == 2
    assert "can not slide: layer 'h1' has a bias for each unit" in fixed.stderr
    for words, sentence in (
        (("--scan",), "--scan must know how many digits a line has. Give --digits"),
        (
            ("--scan", "--digits", 5, "--chip", "graf54"),
            "The chip 'graf54' can not scan a line: it brings each digit into a frame of its own",
        ),
    ):
        result = call("read", code, sliding, *words)
        assert result.exit_code == 2
        assert sentence in result.stderr
    narrow = call("read", code, sliding, "--scan", "--digits", 60)
    assert narrow.exit_code == 1
    assert "a line is too narrow or too wide for the digits asked for" in narrow.stderr
