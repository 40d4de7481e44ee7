"""What made a run names the command that goes on with it, and refuses the others'."""

import shlex
from pathlib import Path

import pytest

from retronet.runs.configuration import ByImport, ByRetraining, ByTraining, Made
from retronet.runs.makers import go_on_command, other_maker


@pytest.mark.parametrize(("made", "command"), [(ByTraining(), "train"), (ByRetraining("runs/a"), "retrain")])
@pytest.mark.parametrize("name", ["run", "it's a run", "-run"])
def test_the_command_is_quoted_and_names_its_maker(made: Made, command: str, name: str) -> None:
    folder = Path("runs", name)
    words = shlex.split(go_on_command(folder, made))

    assert words == ["retronet", command, "--resume", str(folder)]
    assert f"Go on with `{go_on_command(folder, made)}`." in str(other_maker(folder, made))


def test_an_import_has_nothing_to_go_on_with() -> None:
    said = str(other_maker(Path("run"), ByImport("w.npz", "0a1b")))

    assert "was imported from w.npz: there is no training to go on with" in said
    assert "--resume" not in said
