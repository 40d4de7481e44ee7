"""Exit codes: wrong words are wrong usage, everywhere; what was interrupted says once how to go on."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from retronet_cli.main import cli


def groups(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield every group with the names of its commands."""
    context = click.Context(group)
    yield path, group.list_commands(context)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from groups(command, (*path, name))


GROUPS = dict(groups(cli))
EVERY = [(*path, name) for path, names in GROUPS.items() for name in names]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_a_mistyped_command_is_answered_with_the_nearest(path: tuple[str, ...]) -> None:
    *group, name = path
    typed = name + name[-1]
    result = CliRunner().invoke(cli, [*group, typed])

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"There is no command '{typed}'. Did you mean '{name}'?" in result.stderr


WRONG = (
    "train lecun1998",
    "train none.toml",
    "train --network lenet2",
    "train --data digits5",
    "train --set rule.nu=1",
    "train --set passes=few",
    "train --set preparation=bipolar17",
    "train --set holdout.digits=9999 --set 'holdout={digits=9999,seed=1}'",
    "train --resume none",
    "evaluate none",
    "evaluate RUN --data digits5",
    "evaluate RUN --arrays a.npz --digit 5000",
    "simulate none",
    "simulate RUN --plan none.toml",
    "simulate RUN --weight-format q3",
    "simulate RUN --weight-format s99.3",
    "simulate RUN --state-format {1}",
    "simulate RUN --state-format p9.0",
    "simulate RUN --accumulator s18",
    "simulate RUN --scale larger",
    "simulate RUN --scale percentile:101",
    "simulate RUN --scale threshold:0.7 --bits 4",
    "simulate RUN --plan none.toml --bits 4",
    "simulate RUN --chip ana",
    "simulate RUN --chip cnaps",
    "simulate RUN --chip none.toml",
    "simulate RUN --chip anna --set nose=1",
    "simulate RUN --chip anna --set noise=loud",
    "simulate RUN --chip net32k --set layers=9",
    "simulate RUN --chip graf54 --set features=none",
    "show plan RUN --state-scale smaller",
    "show recipe lecun1998",
    "show network lenet2",
    "show chip ana",
    "retrain none",
    "retrain RUN --weight-format q3",
    "sweep none",
    "sweep RUN --tensors h9 -o rows.jsonl",
    "sweep RUN --scale larger -o rows.jsonl",
    "sweep RUN --rounding UP",
    "sweep RUN --data digits5",
    "allocate none",
    "allocate RUN --data digits5",
    "compare none --plan bits=4 --plan bits=5",
    "compare RUN --plan bits=4 --plan none.toml",
    "compare RUN --plan bits=4 --plan bits=0",
    "compare RUN --plan bits=4 --plan rounding=up",
    "compare RUN --plan bits=4 --plan scale=larger",
    "compare RUN --plan bits=4 --plan weight-format=q3",
    "report none",
    "report --network lenet2",
    "report --chip ana",
    "report --chip none.toml",
    "report --chip dsp32c-80ns --weight-bits 4",
    "report --chip graf54 --weight-bits 60",
    "rates lecun1998",
    "rates --data digits5",
    "rates --from 2 --to 1 --data digits5k",
    "import none.npz",
    "import none.txt",
    "import none.npz --recipe lecun1998",
    "import none.npz --network lenet2",
    "reproduce lecun1998",
    "data fetch usp",
    "data verify usp",
    "data path usp",
    "completion csh",
)


@pytest.mark.parametrize("line", WRONG)
def test_names_and_values_that_are_none_are_wrong_usage(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(trained.folder) if word == "RUN" else word for word in shlex.split(line)]
    result = CliRunner().invoke(cli, words)

    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert "Error: " in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- interruptions


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("train", "--data", "digits5k", "--seeds", "0-1"), "retronet_cli.seeds.train_seeds"),
        (("reproduce", "lecun1989"), "retronet_cli.seeds.train_seeds"),
        (("sweep", "RUN", "-o", "rows.jsonl"), "hw_sim.studies.sweep.append_rows"),
    ],
)
def test_what_is_kept_is_said_once(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], where: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRONET_DATA_DIR", str(tmp_path))
    named = [str(trained.folder) if word == "RUN" else word for word in words]
    result = CliRunner().invoke(cli, [*named, "--jobs", "1"])

    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.count("Interrupted.") == 1
    assert " kept" in result.stderr
    assert result.stderr.count(f"Go on with: {shlex.join(['retronet', *named, '--jobs', '1'])}\n") == 1
