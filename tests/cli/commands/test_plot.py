"""`retronet plot`: every picture from a small run, twice to the same bytes; what is missing is said."""

import re
from pathlib import Path

import pytest

from retronet_cli.commands.plot import plot

from ..conftest import Call

pytest.importorskip("matplotlib")


@pytest.fixture
def watched(begin: Call, tmp_path: Path) -> Path:
    """Return a run with a history."""
    assert begin(tmp_path / "watched", "--history", 100).exit_code == 0
    return tmp_path / "watched"


@pytest.mark.parametrize(
    "words",
    [
        ("learning", "RUN"),
        ("learning", "RUN", "RUN", "--paper"),
        ("history", "RUN"),
        ("rates", "--data", "digits5k", "--lots", 3, "--lot", 2),
        ("roofline", "RUN", "--chip", "dsp32c-80ns"),
        ("roofline", "--network", "lenet1", "--chip", "anna"),
    ],
    ids=str,
)
def test_each_picture_is_drawn_and_again_to_the_same_bytes(
    call: Call, watched: Path, tmp_path: Path, words: tuple[object, ...]
) -> None:
    line = [watched if word == "RUN" else word for word in words]
    result = call("plot", *line, "-o", tmp_path / "one.svg")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert f"Picture: {tmp_path / 'one.svg'}" in result.stderr
    if words[0] in ("rates", "history"):
        return  # their figures are compared byte for byte where they are made; one command each way suffices
    assert call("plot", *line, "-o", tmp_path / "two.svg", "-q").stderr == ""
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_name_in_png_gives_one(call: Call, tmp_path: Path) -> None:
    words = ("roofline", "--chip", "sun4-260", "--theme", "dark")

    assert call("plot", *words, "-o", tmp_path / "a.png", "-q").exit_code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_svg_goes_to_standard_output(call: Call) -> None:
    result = call("plot", "roofline", "--chip", "sun4-260", "-o", "-")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("<?xml")
    assert "<title>Roofline of lecun1989</title>" in result.stdout


def test_the_points_of_the_paper_stand_beside_its_network_alone(
    call: Call, watched: Path, tmp_path: Path
) -> None:
    sizes = {}
    for name, option in (("auto", ()), ("with", ("--paper",)), ("without", ("--no-paper",))):
        path = tmp_path / f"{name}.svg"
        assert call("plot", "learning", watched, *option, "-o", path).exit_code == 0
        sizes[name] = path.stat().st_size
    assert sizes["auto"] == sizes["without"] < sizes["with"], "the small network is none of the paper's"


def test_missing_records_are_named_with_the_command_that_makes_them(
    call: Call, begin: Call, imported: Path, tmp_path: Path
) -> None:
    begin(tmp_path / "plain")
    path = tmp_path / "a.svg"
    for words, said in (
        (("history", tmp_path / "plain"), "kept no snapshots.*Train one: retronet train --history 500"),
        (("bits", tmp_path / "plain"), r"sweep.jsonl has no rows\. Measure some first: retronet sweep"),
        (("learning", imported), "has no learning curve: its network was not trained here"),
    ):
        result = call("plot", *words, "-o", path)
        assert result.exit_code == 1
        assert re.search(said, result.stderr), result.stderr
        assert not path.exists()


def test_what_can_not_be_drawn_is_refused(call: Call, tmp_path: Path) -> None:
    assert call("plot", "roofline", "-o", "a.pdf").exit_code == 2
    assert call("plot", "roofline", tmp_path, "--network", "lenet1", "-o", "-").exit_code == 2
    assert "Did you mean 'learning'?" in call("plot", "lerning", "-o", "a.svg").stderr
    assert len(plot.commands) == 16
