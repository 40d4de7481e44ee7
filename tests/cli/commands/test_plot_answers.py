"""`retronet plot`, the pictures of answers and kernels: drawn from a small run."""

from pathlib import Path

import pytest

from ..conftest import Call

pytest.importorskip("matplotlib")


def test_each_picture_is_drawn(call: Call, begin: Call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run)
    for words in (
        ("kernels", run, run, "--layer", "h1"),
        ("confusion", run, run),
        ("mistakes", run, "--most", 5),
        ("surest", run, "--most", 9),
        ("rejection", run, run),
    ):
        result = call("plot", *words, "-o", tmp_path / "one.svg")
        assert result.exit_code == 0, (words, result.stderr)
        assert "</svg>" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_a_layer_without_kernels_is_refused_with_those_that_have_some(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    begin(tmp_path / "run")
    result = call("plot", "kernels", tmp_path / "run", "--layer", "output", "-o", tmp_path / "a.svg")

    assert result.exit_code == 2
    assert "The kernels of layer 'output'" in result.stderr
    assert "h1 have kernels. Name one of these." in result.stderr
