"""`retronet plot`, the pictures of precision: drawn from a small run."""

from pathlib import Path

import pytest

from ..conftest import Call

pytest.importorskip("matplotlib")


@pytest.fixture
def swept(call: Call, begin: Call, tmp_path: Path) -> Path:
    """Return a run with two rows of a sweep."""
    begin(tmp_path / "swept")
    words = ("--bits", "3,5", "--tensors", "all", "--jobs", 1, "-q")
    assert call("sweep", tmp_path / "swept", *words).exit_code == 0
    return tmp_path / "swept"


def test_each_picture_is_drawn(call: Call, swept: Path, tmp_path: Path) -> None:
    for words in (
        ("bits", swept, swept),
        ("noise", swept, "--bits", "3,6"),
        ("levels", swept, "--bits", 4),
        ("maps", swept, "--digit", 7, "--bits", 3),
        ("allocation", swept, "--bits", "3,4"),
    ):
        result = call("plot", *words, "-o", tmp_path / "one.svg")
        assert result.exit_code == 0, (words, result.stderr)
        assert "</svg>" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_rows_of_other_bits_are_not_drawn(call: Call, swept: Path, tmp_path: Path) -> None:
    result = call("plot", "bits", swept, "--other-bits", 14, "-o", tmp_path / "a.svg")

    assert result.exit_code == 1
    assert "has 2 rows of other networks, digits or other bits. Measure some first" in result.stderr


def test_a_digit_beyond_the_set_is_refused(call: Call, swept: Path, tmp_path: Path) -> None:
    result = call("plot", "maps", swept, "--digit", 99_999, "-o", tmp_path / "a.svg")

    assert result.exit_code == 2
    assert "There is no test digit 99999" in result.stderr
