"""Going on by what made a run, whichever command is given."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from support.cut_off import content, cut_off_at

from hw_sim.studies.retrain import Retraining
from retronet.runs.lock import writing
from retronet.training.train import Training

Call = Callable[..., Result]


@pytest.mark.parametrize("command", ["resume", "train --resume"])
def test_training_goes_on_to_the_same_bytes_snapshots_too(
    call: Call, begin: Call, tmp_path: Path, command: str
) -> None:
    begin(tmp_path / "whole", "--history", 70)
    with cut_off_at(Training, 1):
        cut = begin(tmp_path / "cut folder", "--history", 70)
    assert cut.exit_code == 130
    assert f"Go on with: retronet train --resume '{tmp_path / 'cut folder'}'\n" in cut.stderr

    done = call(*command.split(), tmp_path / "cut folder")

    assert done.exit_code == 0, done.stderr
    assert content(tmp_path / "cut folder") == content(tmp_path / "whole")
    assert len(content(tmp_path / "whole")["history.jsonl"].splitlines()) == 600 // 70


def test_other_snapshots_than_those_of_the_beginning_are_refused(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    begin(tmp_path / "run", "--history", 70)
    begin(tmp_path / "plain")

    assert call("train", "--resume", tmp_path / "run", "--history", 70).exit_code == 0
    for folder, said in (("run", "with a snapshot every 70 steps"), ("plain", "without snapshots")):
        refused = call("train", "--resume", tmp_path / folder, "--history", 71)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert said in refused.stderr


@pytest.mark.parametrize("passes", [0, 1, 2])
@pytest.mark.parametrize("command", ["resume", "retrain --resume"])
def test_retraining_goes_on_to_the_same_bytes_and_words(
    call: Call, begin: Call, tmp_path: Path, command: str, passes: int
) -> None:
    begin(tmp_path / "origin")
    words = (
        "retrain",
        tmp_path / "origin",
        "--passes",
        3,
        "--bits",
        4,
        "--layers",
        "last",
        "--seed",
        7,
        "--json",
    )
    whole = call(*words, "--run", tmp_path / "whole")
    with cut_off_at(Retraining, passes):
        cut = call(*words, "--run", tmp_path / "cut")
    assert (cut.exit_code, cut.stdout) == (130, "")
    assert f"Go on with: retronet retrain --resume {tmp_path / 'cut'}\n" in cut.stderr
    assert (f"Passes 1 to {passes} are kept." if passes else "No pass was done yet.") in cut.stderr

    done = call(*command.split(), tmp_path / "cut", "--json")

    assert done.exit_code == 0, done.stderr
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert {**json.loads(done.stdout), "run": ""} == {**json.loads(whole.stdout), "run": ""}
    assert [each["pass"] for each in json.loads(done.stdout)["passes"]] == [0, 1, 2, 3]


def test_each_maker_refuses_what_another_made_and_names_it(
    call: Call, begin: Call, imported: Path, tmp_path: Path
) -> None:
    begin(tmp_path / "trained")
    with cut_off_at(Retraining, 1):
        call("retrain", tmp_path / "trained", "--run", tmp_path / "retrained")
    trained, retrained = tmp_path / "trained", tmp_path / "retrained"
    cases = [
        ("train --resume", retrained, f"Go on with `retronet retrain --resume {retrained}`"),
        ("retrain --resume", trained, f"Go on with `retronet train --resume {trained}`"),
        ("train --resume", imported, "was imported from w.npz"),
        ("retrain --resume", imported, "was imported from w.npz"),
        ("resume", imported, "was imported from w.npz"),
    ]
    for command, folder, said in cases:
        before = content(folder)
        refused = call(*command.split(), folder)
        assert (refused.exit_code, refused.stdout) == (1, ""), command
        assert said in refused.stderr
        assert content(folder) == before


def test_resuming_a_retraining_takes_no_other_instructions(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "origin")
    call("retrain", tmp_path / "origin", "--passes", 1, "--run", tmp_path / "run")
    for words in (["--bits", 8], ["--passes", 5], ["--rate", 0.0005], ["--force"], [tmp_path / "origin"]):
        refused = call("retrain", "--resume", tmp_path / "run", *words)
        assert (refused.exit_code, refused.stdout) == (2, ""), words
        assert "--resume goes on with a run as it was begun" in refused.stderr


def test_a_retraining_cut_off_early_needs_what_it_began_with(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "origin")
    with cut_off_at(Retraining, 0):
        call("retrain", tmp_path / "origin", "--run", tmp_path / "run")
    begin(tmp_path / "origin", "--force", "--seed", 5)

    refused = call("resume", tmp_path / "run")

    assert refused.exit_code == 1
    assert f"is not in {tmp_path / 'origin'} or has changed. Retrain again" in refused.stderr


def test_the_command_to_go_on_with_names_the_data_and_is_quoted(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    digits = tmp_path / "it's data"
    with cut_off_at(Training, 1):
        cut = begin(tmp_path / "run", "--data-dir", digits)
    words = shlex.split(cut.stderr.partition("Go on with: ")[2])

    assert words == ["retronet", "train", "--resume", str(tmp_path / "run"), "--data-dir", str(digits)]
    assert call(*words[1:]).exit_code == 0


def test_left_over_files_of_killed_writes_go_and_others_stay(call: Call, begin: Call, tmp_path: Path) -> None:
    with cut_off_at(Training, 1):
        begin(tmp_path / "run")
    begin(tmp_path / "whole")
    for name in (".checkpoint.safetensors.1.part", ".epochs.jsonl.23.part", ".run.json.4.part"):
        (tmp_path / "run" / name).write_bytes(b"half")
    for name in ("mine.part", ".thesis.tex.1.part"):
        (tmp_path / "run" / name).write_bytes(b"mine")

    assert call("resume", tmp_path / "run").exit_code == 0

    assert content(tmp_path / "run").keys() == content(tmp_path / "whole").keys() | {
        "mine.part",
        ".thesis.tex.1.part",
    }


def test_a_copied_run_goes_on_like_the_first(call: Call, begin: Call, tmp_path: Path) -> None:
    with cut_off_at(Training, 2):
        begin(tmp_path / "run")
    with writing(tmp_path / "run"):
        shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert call("resume", tmp_path / "copy").exit_code == 0
    assert call("resume", tmp_path / "run").exit_code == 0
    assert content(tmp_path / "copy") == content(tmp_path / "run")


def test_an_import_that_was_cut_off_says_so(call: Call, imported: Path) -> None:
    (imported / "checkpoint.safetensors").unlink()
    for command in ("evaluate", "simulate"):
        refused = call(command, imported)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "was cut off while it was imported, so it has no network. Import w.npz again" in refused.stderr
