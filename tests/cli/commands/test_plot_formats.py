"""`retronet plot format`."""

from pathlib import Path

import pytest

from ..conftest import Call

pytest.importorskip("matplotlib")


def test_formats_are_drawn_in_all_modes_that_are_asked_for(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "one.svg"
    for words in (
        ("s3.0", "{-1,0,1}"),
        (
            "s3.0",
            "u4.2",
            "--rounding",
            "trn",
            "--rounding",
            "stochastic",
            "--overflow",
            "wrap",
            "--overflow",
            "sat",
        ),
        ("s8.6:TRN:WRAP", "--from", "-1", "--to", "0.5", "--theme", "dark"),
        ("dsp32c", "--rounding", "rnd"),
        (),
    ):
        result = call("plot", "format", *words, "-o", file)
        assert result.exit_code == 0, (words, result.stderr)
        assert "</svg>" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("s3.x",), 1, "is not a number format"),
        (("{-1,1}", "--rounding", "trn"), 2, "has no modes: its numbers become the nearest level"),
        (("dsp32c", "s3.0"), 2, "dsp32c is drawn by itself, beside 1"),
        (("dsp32c", "--from", "0"), 2, "dsp32c is drawn by itself, beside 1"),
        (("dsp32c", "--rounding", "rnd_conv"), 1, "TRN, as stores do, and RND are allowed"),
        (("s16.8",), 1, "at most 2,048 are drawn. Name a shorter range"),
        (
            [f"s3.{places}" for places in range(9)],
            2,
            "9 staircases can not be drawn in one picture: at most 8",
        ),
        (("s3.0", "--from", "nan"), 2, "not in the range"),
    ],
)
def test_what_can_not_be_drawn_is_said(
    call: Call, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    result = call("plot", "format", *words, "-o", tmp_path / "one.svg")
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "one.svg").exists()
