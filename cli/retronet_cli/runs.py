"""What commands that work on a finished run have in common: which run, and which digits."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet.errors import InputError, RetronetError

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.runs.checkpoint import Checkpoint
    from retronet.runs.run import Run


def take_run(folder: Path | None, runs: Path, quiet: bool) -> "tuple[Path, Checkpoint]":
    """Return a run's folder and checkpoint: the one named, else the latest, which is then said.

    From here on a command also says when it compiles for long, unless it is to be quiet.
    """
    from retronet.runs.run import latest_run, open_run
    from retronet_cli.compiling import leave_out_blas, tell_of_compiling
    from retronet_cli.terminal import talk

    leave_out_blas()
    if not quiet:
        tell_of_compiling()

    run = latest_run(runs) if folder is None else open_run(folder)
    if folder is None and not quiet:
        talk(f"Taking the latest run: {run.folder}{_why(run, runs)}")
    checkpoint = run.checkpoint()
    if not checkpoint.checked:
        talk(
            f"Warning: The checkpoint of {run.folder} is of an earlier version, without a digest: whether "
            "its numbers are undamaged can not be told."
        )
    return run.folder, checkpoint


def _why(run: "Run", runs: Path) -> str:
    """Return what was taken and why, unless there is nothing to choose and nothing to tell."""
    from retronet.runs.configuration import ByImport, ByPruning, ByRetraining
    from retronet.runs.run import CHECKPOINT

    count = len(list(runs.glob(f"*/{CHECKPOINT}")))
    parts = [f"the newest checkpoint of {count}"] * (count > 1)
    match run.configuration.made:
        case ByRetraining(origin=origin):
            parts.insert(0, f"retrained from {origin}")
        case ByPruning(origin=origin):
            parts.insert(0, f"pruned from {origin}")
        case ByImport(file=file):
            parts.insert(0, f"imported from {file}")
        case _:
            pass
    told = "; ".join(parts)
    return f" ({told})" if told else ""


@contextmanager
def going_on(run: "Run", data_dir: Path | None) -> Iterator[None]:
    """Say how to go on with `run` where it is cut off, by Ctrl-C or because the system refused something."""
    from retronet_cli.terminal import interrupted

    command = run.go_on + ("" if data_dir is None else " " + shlex.join(["--data-dir", str(data_dir)]))
    try:
        yield
    except KeyboardInterrupt:
        interrupted(f"{_kept(run)} Go on with: {command}")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"The system refused: {error}. {_kept(run)} Mend that, then go on with: {command}"
        ) from error


def _kept(run: "Run") -> str:
    """Return which passes, or stages of a pruning, are on disk."""
    from retronet.runs.makers import kept_after

    try:
        passes = run.passes
    except (RetronetError, OSError):
        passes = 0
    step = kept_after(run.configuration.made)
    many = {"stage": "Stages", "pass": "Passes"}[step]
    return f"{many} 1 to {passes} are kept." if passes else f"No {step} was done yet."


def refuse_beside_resume(run: Path | None, allowed: frozenset[str]) -> None:
    """Refuse what says how to make a run beside --resume, which goes on as the run was begun.

    `allowed` are the parameters of the command that change nothing of it, besides those that all have.
    """
    context = click.get_current_context()
    free = allowed | {"resume", "data_dir", "runs", "quiet"}
    for name in context.params:
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if run is not None or (given and name not in free):
            raise click.UsageError(
                "--resume goes on with a run as it was begun: it takes no other run, formats or settings."
            )


def retrained(folder: Path) -> bool:
    """Return whether the run in `folder` has number formats of its own."""
    from retronet.runs.configuration import ByRetraining
    from retronet.runs.run import open_run

    return isinstance(open_run(folder).configuration.made, ByRetraining)


def title_of(checkpoint: "Checkpoint") -> str:
    """Return what a network is called in tables: its own name, and its recipe's where that is another."""
    from retronet.runs.pruned_run import FIGURES

    header = checkpoint.header
    recipe = "" if header.recipe.name == header.network.name else f", recipe {header.recipe.name},"
    if not header.passes:
        return f"{header.network.name}{recipe} (imported)"
    step = "stage" if FIGURES in checkpoint.state.optimiser else "pass"
    return f"{header.network.name}{recipe} after {step} {header.passes}"


def take_digits(
    checkpoint: "Checkpoint", name: str | None, data_dir: Path | None, preparation: str | None = None
) -> "DigitSets":
    """Return the digits called `name`, else those of the training.

    They are prepared as asked for, else as the recipe says; where the recipe's preparation is none of other
    digits, as the network's input size suggests.
    """
    from retronet.datasets.catalogue import AUTO, find_source
    from retronet.datasets.prepare import PREPARATIONS
    from retronet_cli.digits import digits_for

    header = checkpoint.header
    data = name or header.data[0].name
    usual = header.recipe.preparation
    if name not in (None, AUTO, header.data[0].name) and usual not in PREPARATIONS[find_source(data).size]:
        usual = None
    return digits_for(header.network, data, preparation or usual, data_dir)[0]
