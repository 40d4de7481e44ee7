"""`retronet codes`, `retronet data compose`: the same codes, scored and written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from retronet.datasets import load
from retronet.reading.compose import compose
from retronet.reading.pictures import load_picture, png_bytes

Call = Callable[..., Result]
FEW = ("--count", 12, "--codes-seed", 4)


def codes_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("codes", *arguments, *FEW, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_every_difficulty_has_its_score(call: Call, trained: Any) -> None:
    printed = codes_json(call, trained.folder)
    assert printed["schema"] == "retronet/codes/1"
    assert printed["dataset"] == "digits5k"
    scores = printed["scores"]
    assert [each["difficulty"] for each in scores] == ["easy", "medium", "hard"]
    assert len({each["direct_string_misses"] for each in scores}) == 1, "the digits are the same"
    for each in scores:
        assert (each["codes"], each["digits"]) == (12, 60)
        assert (
            each["string_error_percent_low"]
            <= each["string_error_percent"]
            <= each["string_error_percent_high"]
        )
        assert each["segmentation_misses"] <= each["string_misses"]
    assert scores[0]["digit_errors"] < scores[2]["digit_errors"]
    rows = call("codes", trained.folder, *FEW, "--format", "jsonl").stdout
    assert [json.loads(row) for row in rows.splitlines()] == scores
    (alone,) = codes_json(call, trained.folder, "--difficulty", "hard")["scores"]
    assert alone == scores[2]


def test_tables_say_what_segmentation_costs(call: Call, trained: Any) -> None:
    result = call("codes", trained.folder, *FEW, "--difficulty", "easy", "-q")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "codes of 5 test digits of digits5k" in text
    assert "What recognition and segmentation cost" in text
    assert "The codes are made up" in text


def test_fixed_point_and_chips_read_the_codes(call: Call, trained: Any) -> None:
    words = ("--difficulty", "easy")
    assert codes_json(call, trained.folder, *words, "--bits", 12)["arithmetic"] == "fixed point"
    chip = codes_json(call, trained.folder, *words, "--chip", "dsp32c-80ns")
    assert chip["scores"] == codes_json(call, trained.folder, *words)["scores"]


def test_composed_codes_are_written_with_their_labels(call: Call, tmp_path: Path) -> None:
    words = ("--data", "digits5k", "--count", 3, "--digits", 4, "--seed", 6, "--difficulty", "hard")
    result = call("data", "compose", "-o", tmp_path / "codes", *words, "--json")
    assert result.exit_code == 0, result.stderr
    printed, test = json.loads(result.stdout), load("digits5k").test
    written = json.loads((tmp_path / "codes" / "labels.json").read_text())
    assert written == printed
    assert printed["schema"] == "retronet/composed-codes/1"
    assert (printed["dataset"], printed["split"], printed["difficulty"]) == ("digits5k", "test", "hard")
    for number, each in enumerate(printed["codes"]):
        code = compose(test, 4, 6, number, "hard")
        path = tmp_path / "codes" / each["file"]
        assert path.read_bytes() == png_bytes(code.levels)
        assert (load_picture(path) == code.darkness).all()
        assert each["text"] == code.text
        assert tuple(each["test_digits"]) == code.digits
    assert len(list((tmp_path / "codes").iterdir())) == 4


def test_nothing_is_written_over(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    words = ("data", "compose", "-o", tmp_path, "--data", "digits5k", "--count", 1)
    refused = call(*words[:-1], 100_000)
    assert refused.exit_code == 1
    assert "is not empty" in refused.stderr, "before a hundred thousand codes are composed"
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]
    assert call(*words, "--force").exit_code == 0
    assert (tmp_path / "00000.png").exists()


def test_a_cut_off_row_of_codes_has_no_labels(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("data", "compose", "--data", "digits5k", "--count", 5)
    assert call(*words, "-o", tmp_path / "whole").exit_code == 0
    done: list[int] = []

    def cut_off(*arguments: Any) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(arguments[3])
        return compose(*arguments)

    monkeypatch.setattr("retronet.reading.compose.compose", cut_off)
    assert call(*words, "-o", tmp_path / "cut").exit_code == 130
    kept = {path.name: path.read_bytes() for path in (tmp_path / "cut").iterdir()}
    assert set(kept) == {"00000.png", "00001.png", "00002.png"}
    assert all((tmp_path / "whole" / name).read_bytes() == content for name, content in kept.items())


@pytest.mark.parametrize("words", [("--count", 0), ("--digits", 0), ("--difficulty", "none")])
def test_options_have_their_ranges(call: Call, trained: Any, words: tuple[object, ...]) -> None:
    assert call("codes", trained.folder, *words).exit_code == 2
