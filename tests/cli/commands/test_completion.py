"""Completion: each shell's script asks the program, and the program answers with what exists."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from retronet_cli.main import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_the_program_and_its_variable(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_RETRONET_COMPLETE={shell}_complete" in result.stdout
    assert "retronet" in result.stdout


def test_words_are_completed() -> None:
    environment = {
        **os.environ, "_RETRONET_COMPLETE": "bash_complete", "COMP_WORDS": "retronet si", "COMP_CWORD": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from retronet_cli.main import main; main()"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,simulate"]
