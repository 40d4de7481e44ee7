"""The folder of a run: configuration, one line a pass, the checkpoint, and measured times apart.

===========================  ===============================================================================
``run.json``                 resolved recipe, network, data digests, versions; fixed when the run begins
``epochs.jsonl``             one :class:`retronet.training.train.PassRecord` a line
``checkpoint.safetensors``   parameters and optimiser state after the last whole pass
``history.jsonl``            snapshots of activations, parameters and gradients, if asked for
``timing.jsonl``             seconds of each pass, as measured; the only file that differs between equal runs
===========================  ===============================================================================
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from retronet.datasets import DigitSets
from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.runs.checkpoint import (
    SCHEMA,
    Checkpoint,
    Header,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)
from retronet.runs.configuration import RunConfiguration, configure
from retronet.trained import Trained
from retronet.training.snapshots import Snapshot
from retronet.training.train import PassRecord, Progress, Training, TrainingState

T = TypeVar("T")

CONFIGURATION = "run.json"
EPOCHS = "epochs.jsonl"
CHECKPOINT = "checkpoint.safetensors"
TIMING = "timing.jsonl"
HISTORY = "history.jsonl"


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """Measured seconds of one pass: learning, and scoring both sets of digits after it."""

    number: int
    training_seconds: float
    scoring_seconds: float


@dataclass(frozen=True)
class Run:
    """A run on disk."""

    folder: Path
    configuration: RunConfiguration

    @property
    def data_name(self) -> str:
        """The name of the data set that the run was trained on."""
        return self.configuration.data[0].name

    def records(self) -> list[PassRecord]:
        """Return the records of the passes so far."""
        return _decode(self.folder / EPOCHS, _lines(self.folder / EPOCHS), PassRecord)

    def timings(self) -> list[Timing]:
        """Return the measured times of the passes so far."""
        return _decode(self.folder / TIMING, _lines(self.folder / TIMING), Timing)

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint.

        Raises
        ------
        InputError
            If no pass is done yet, or the file is damaged.
        """
        if not (self.folder / CHECKPOINT).exists():
            raise InputError(
                f"The run {self.folder} has not finished its first pass, so it has no network yet. "
                f"Go on with `retronet train --resume {self.folder}`."
            )
        return load_checkpoint(self.folder / CHECKPOINT)

    @property
    def trained(self) -> Trained:
        """The network after the last whole pass; raises what `checkpoint` raises."""
        return self.checkpoint().trained

    def save(
        self, record: PassRecord, timing: Timing, state: TrainingState, snapshots: Sequence[Snapshot] = ()
    ) -> None:
        """Add a pass. The checkpoint comes last: a run cut off before it goes back to the pass before."""
        if snapshots:
            with (self.folder / HISTORY).open("ab") as file:
                file.writelines(msgspec.json.encode(each) + b"\n" for each in snapshots)
        with (self.folder / EPOCHS).open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with (self.folder / TIMING).open("ab") as file:
            file.write(msgspec.json.encode(timing) + b"\n")
        self.keep(state)

    def keep(self, state: TrainingState) -> None:
        """Write `state` as the checkpoint."""
        configuration = self.configuration
        header = Header(
            schema=SCHEMA,
            network=configuration.network,
            recipe=configuration.recipe,
            data=configuration.data,
            passes=state.passes,
        )
        save_checkpoint(self.folder / CHECKPOINT, Checkpoint(header, state))

    def rewind(self) -> TrainingState | None:
        """Drop what was written after the checkpoint; return its state, or None before the first pass.

        Raises
        ------
        InputError
            If the checkpoint or a line before it is damaged; nothing is dropped then.
        """
        state = self.checkpoint().state if (self.folder / CHECKPOINT).exists() else None
        passes = state.passes if state else 0
        epochs, timing = self.folder / EPOCHS, self.folder / TIMING
        kept = {path: _lines(path)[:passes] for path in (epochs, timing)}
        _decode(epochs, kept[epochs], PassRecord)
        _decode(timing, kept[timing], Timing)
        if len(kept[epochs]) < passes:
            raise _damaged(epochs, f"it has {len(kept[epochs])} of {passes} passes")
        history = self.folder / HISTORY
        if history.exists():
            snapshots = _lines(history)
            taken = _decode(history, [line for line in snapshots if line.endswith(b"\n")], Snapshot)
            kept[history] = [
                line for line, each in zip(snapshots, taken, strict=False) if each.number <= passes
            ]
        for path, lines in kept.items():
            write_atomically(path, b"".join(lines))
        return state


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _decode(path: Path, lines: list[bytes], kind: type[T]) -> list[T]:
    try:
        return [msgspec.json.decode(line, type=kind) for line in lines]
    except (msgspec.DecodeError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, found: str) -> InputError:
    return InputError(f"The file {path} is damaged: {found}. Train again or take another run.")


def create_run(
    recipe: Recipe,
    network: NetworkSpec,
    digits: DigitSets,
    folder: Path | None,
    runs: Path,
    force: bool,
    origin: str | None = None,
) -> Run:
    """Make the folder of a new run and write its configuration.

    Parameters
    ----------
    recipe, network, digits
        What the run depends on.
    folder
        The folder to make; if absent, one below `runs` named after date, recipe and configuration.
    runs
        The folder of all runs.
    force
        Whether to overwrite the run that is in `folder`.
    origin
        Where the network comes from, if not from training by the recipe.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set.
    """
    configuration = configure(recipe, network, digits, origin)
    content = json.dumps(msgspec.to_builtins(configuration), indent=2, sort_keys=True, ensure_ascii=False)
    if folder is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        digest = hashlib.sha256(content.encode()).hexdigest()[:6]
        folder = _unused(runs / f"{stamp}-{recipe.name}-{digest}")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / CONFIGURATION).exists():
            raise InputError(f"The folder {folder} is not empty and holds no run. Give an empty or new one.")
        if not force:
            raise InputError(
                f"The folder {folder} holds a run already. Continue it with --resume, "
                "overwrite it with --force, or give another folder."
            )
        for name in (CHECKPOINT, EPOCHS, TIMING, HISTORY):
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CONFIGURATION, content.encode() + b"\n")
    return Run(folder, configuration)


def continue_run(
    run: Run, digits: DigitSets, watch: int | None = None
) -> Iterator[Progress | PassRecord | Snapshot]:
    """Train the passes of `run` that are left and keep each; tell progress and passes as they come.

    Parameters
    ----------
    run
        A run, new or cut off at any moment.
    digits
        The digits it was begun on.
    watch
        Steps from snapshot to snapshot of the network; none are taken if absent.

    Raises
    ------
    InputError
        If the digits are others, or what is on disk does not fit.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    configuration = run.configuration
    if (digits.train.provenance, digits.test.provenance) != configuration.data:
        raise InputError(
            f"The run {run.folder} was begun on other digits than '{run.data_name}' gives now. "
            "Name the folder that held them with --data-dir."
        )
    training = Training(configuration.recipe, configuration.network, digits)
    state = run.rewind()
    if state is not None:
        training.restore(state)
    learnt, mark, snapshots = 0.0, time.perf_counter(), list[Snapshot]()
    for step in training.run(watch):
        now = time.perf_counter()
        if isinstance(step, PassRecord):
            run.save(step, Timing(step.number, learnt, now - mark), training.state(), snapshots)
            learnt, snapshots = 0.0, []
        else:
            learnt += now - mark
            if isinstance(step, Snapshot):
                snapshots.append(step)
        yield step
        mark = time.perf_counter()


def _unused(folder: Path) -> Path:
    """Return `folder`, or a numbered sibling if it exists: two runs may start in one second."""
    number, found = 2, folder
    while found.exists():
        found = folder.with_name(f"{folder.name}-{number}")
        number += 1
    return found


def open_run(folder: Path) -> Run:
    """Return the run in `folder`.

    Raises
    ------
    InputError
        If there is none, or its configuration can not be read.
    """
    path = folder / CONFIGURATION
    if not path.is_file():
        raise ChoiceError(
            f"There is no run in {folder}: it has no {CONFIGURATION}. Give the folder of a run."
        )
    try:
        return Run(folder, msgspec.json.decode(path.read_bytes(), type=RunConfiguration))
    except (msgspec.DecodeError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def latest_run(runs: Path) -> Run:
    """Return the run below `runs` whose checkpoint is the newest.

    Raises
    ------
    InputError
        If no run there has one.
    """
    found = sorted(runs.glob(f"*/{CHECKPOINT}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not found:
        raise InputError(f"There is no trained run in {runs}. Make one with `retronet train`, or name one.")
    return open_run(found[-1].parent)
