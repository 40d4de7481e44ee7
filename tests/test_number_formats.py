"""The page of number formats: its pictures are those that its commands draw."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from retronet_cli.main import cli

matplotlib = pytest.importorskip("matplotlib")
REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "docs" / "number-formats"
TEXT = FOLDER.with_suffix(".md").read_text(encoding="utf-8")
DRAWN = re.findall(
    r"\]\(number-formats/(\w+\.svg)\)\n\n    (retronet plot format .*)$", TEXT, flags=re.MULTILINE
)


def test_each_picture_stands_above_its_command() -> None:
    names = re.findall(r"\]\(number-formats/(\w+\.svg)\)", TEXT)
    assert names == [name for name, _ in DRAWN] == [shlex.split(command)[-1] for _, command in DRAWN]
    assert {path.name for path in FOLDER.iterdir()} == set(names)
    assert all(path.stat().st_size < 200_000 for path in FOLDER.iterdir())


@pytest.mark.parametrize(("name", "command"), DRAWN, ids=[name for name, _ in DRAWN])
def test_a_command_draws_its_picture_again(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = re.search(r"^matplotlib==(.*)$", (REPOSITORY / ".ci/constraints.txt").read_text(), re.MULTILINE)
    if pinned is None or matplotlib.__version__ != pinned[1]:
        pytest.skip("another matplotlib may lay pictures out otherwise")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
