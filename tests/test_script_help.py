"""Every script that is no command: `--help` tells what it does, and does nothing else."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PLACES = (TESTS, TESTS.parent / "benchmarks", TESTS.parent / "docs")


def is_script(path: Path) -> bool:
    return any(
        isinstance(each, ast.If) and "__name__" in ast.unparse(each.test)
        for each in ast.parse(path.read_text(encoding="utf-8")).body
    )


SCRIPTS = sorted(path for place in PLACES for path in place.rglob("*.py") if is_script(path))


def test_the_scripts_are_there() -> None:
    assert {"disk.py", "kill.py", "mutate.py", "cold_start.py", "measure_spread.py"} <= {
        path.name for path in SCRIPTS
    }


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--none-such", 2)])
def test_help_is_all_that_is_done(
    path: Path,
    word: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [str(path), word])
    for folder in (path.parent, TESTS):
        monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")
    said = capfd.readouterr()
    assert ended.value.code == code, said.err
    assert list(tmp_path.iterdir()) == []
    if word == "--help":
        about = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        assert said.out.startswith(f"usage: {path.name}")
        assert " ".join(about.split()) in " ".join(said.out.split())
        assert said.err == ""
    else:
        assert f"{path.name}: error: " in said.err
        assert said.out == ""
