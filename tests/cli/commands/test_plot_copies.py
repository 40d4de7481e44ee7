"""`retronet plot copies`: drawn from a recipe; one without distortions is refused."""

from pathlib import Path

import pytest

from ..conftest import Call

pytest.importorskip("matplotlib")


def test_the_copies_of_a_recipe(call: Call, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        words = ("copies", "--data", "digits5k", "--most", 2, "-o", tmp_path / name)
        result = call("plot", *words)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == ""
    content = (tmp_path / "one.svg").read_bytes()
    assert b"<title>Distorted copies of lenet5-distorted</title>" in content
    assert (tmp_path / "two.svg").read_bytes() == content


def test_a_recipe_without_distortions_is_refused(call: Call, tmp_path: Path) -> None:
    result = call("plot", "copies", "lenet5", "-o", tmp_path / "a.svg")

    assert result.exit_code == 2
    assert "recipe 'lenet5' can not be drawn: it distorts no digits." in result.stderr
    assert "such as lenet5-distorted. Name one of these." in result.stderr
