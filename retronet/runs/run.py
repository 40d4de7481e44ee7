"""The folder of a run: configuration, one line a pass, the checkpoint, and measured times apart.

===========================  ===============================================================================
``run.json``                 what made it, recipe, network, data digests, versions; fixed when the run begins
``epochs.jsonl``             one :class:`retronet.training.train.PassRecord` a line
``checkpoint.safetensors``   parameters and optimiser state after the last whole pass
``history.jsonl``            snapshots of activations, parameters and gradients, if asked for
``timing.jsonl``             seconds of each pass, as measured; the only file that differs between equal runs
===========================  ===============================================================================

Checkpoint, configuration and each line of ``epochs.jsonl`` hold a digest of themselves, and are checked on
reading. One process at a time writes a run: see :mod:`retronet.runs.lock`.
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
from retronet.runs.configuration import (
    FIRST_SCHEMA,
    ByImport,
    ByTraining,
    Made,
    RunConfiguration,
    configure,
    digest_of,
    read_configuration,
)
from retronet.runs.lines import stamped, unstamped
from retronet.runs.lock import is_own, writing
from retronet.runs.makers import go_on_command, other_maker
from retronet.trained import Trained
from retronet.training.snapshots import Snapshot
from retronet.training.train import PassRecord, Progress, Training, TrainingState

T = TypeVar("T")

CONFIGURATION = "run.json"
EPOCHS = "epochs.jsonl"
CHECKPOINT = "checkpoint.safetensors"
TIMING = "timing.jsonl"
HISTORY = "history.jsonl"
PLAN = "plan.toml"
BEFORE = "before.json"
"""What a retrained run has besides: see :mod:`hw_sim.studies.retrained_run`."""


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

    @property
    def go_on(self) -> str:
        """The command that goes on with the run where it was cut off, quoted for a shell."""
        return go_on_command(self.folder, self.configuration.made)

    @property
    def passes(self) -> int:
        """The passes that are kept."""
        return self.checkpoint().header.passes if (self.folder / CHECKPOINT).exists() else 0

    def records(self) -> list[PassRecord]:
        """Return the records of the passes so far.

        Raises
        ------
        InputError
            If they, or the checkpoint they belong to, are damaged.
        """
        if not (self.folder / CHECKPOINT).exists():
            return []
        return self._records(self.checkpoint().header)

    def timings(self) -> list[Timing]:
        """Return the measured times of the passes so far."""
        return _decode(self.folder / TIMING, _lines(self.folder / TIMING), Timing)

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots of the passes so far, none if the run was trained without them."""
        passes, path = self.passes, self.folder / HISTORY
        whole = [line for line in _lines(path) if line.endswith(b"\n")]
        return [each for each in _decode(path, whole, Snapshot) if each.number <= passes]

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint.

        Raises
        ------
        InputError
            If no pass is done yet, or the file is damaged or belongs to another run.
        """
        path, configuration = self.folder / CHECKPOINT, self.configuration
        self._check_whole()
        if not path.exists():
            if isinstance(configuration.made, ByImport):
                raise InputError(
                    f"The run {self.folder} was cut off while it was imported, so it has no network. "
                    f"Import {configuration.made.file} again, with --force."
                )
            raise InputError(
                f"The run {self.folder} has not finished its first pass, so it has no network yet. "
                f"Go on with `{self.go_on}`."
            )
        checkpoint = load_checkpoint(path)
        header = checkpoint.header
        told = (configuration.network, configuration.recipe, configuration.data)
        if (header.network, header.recipe, header.data) != told:
            raise _damaged(
                self.folder / CONFIGURATION, f"it is not the one that {CHECKPOINT} was written for"
            )
        return checkpoint

    def _check_whole(self) -> None:
        configuration = self.configuration
        if configuration.schema != FIRST_SCHEMA and configuration.sha256 != digest_of(configuration):
            raise _damaged(self.folder / CONFIGURATION, "its digest is that of another content")

    def _records(self, header: Header) -> list[PassRecord]:
        """Return the records up to the checkpoint with `header`, checked against it."""
        path = self.folder / EPOCHS
        lines = _lines(path)[: header.passes]
        try:
            contents = [unstamped(line) for line in lines]
        except ValueError as error:
            raise _damaged(path, str(error)) from error
        records = _decode(
            path, [content or line for content, line in zip(contents, lines, strict=True)], PassRecord
        )
        if None in contents and self.configuration.schema != FIRST_SCHEMA:
            raise _damaged(path, f"its line {contents.index(None) + 1} has no digest")
        if len(records) < header.passes:
            raise _damaged(path, f"it has {len(records)} of {header.passes} passes")
        for number, record in enumerate(records, 1):
            if record.number != number:
                raise _damaged(path, f"its line {number} is that of pass {record.number}")
        return records

    @property
    def trained(self) -> Trained:
        """The network after the last whole pass; raises what `checkpoint` raises."""
        return self.checkpoint().trained

    def save(
        self, record: PassRecord, timing: Timing, state: TrainingState, snapshots: Sequence[Snapshot] = ()
    ) -> None:
        """Add a pass. The checkpoint comes last: a run cut off before it goes back to the pass before."""
        if snapshots:
            _append(self.folder / HISTORY, b"".join(msgspec.json.encode(each) + b"\n" for each in snapshots))
        _append(self.folder / EPOCHS, stamped(msgspec.json.encode(record)))
        _append(self.folder / TIMING, msgspec.json.encode(timing) + b"\n")
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
        checkpoint = self.checkpoint() if (self.folder / CHECKPOINT).exists() else None
        passes = checkpoint.state.passes if checkpoint else 0
        epochs, timing = self.folder / EPOCHS, self.folder / TIMING
        kept = {path: _lines(path)[:passes] for path in (epochs, timing)}
        _decode(timing, kept[timing], Timing)
        if checkpoint:
            self._records(checkpoint.header)
        history = self.folder / HISTORY
        if history.exists():
            snapshots = _lines(history)
            taken = _decode(history, [line for line in snapshots if line.endswith(b"\n")], Snapshot)
            kept[history] = [
                line for line, each in zip(snapshots, taken, strict=False) if each.number <= passes
            ]
        for path, lines in kept.items():
            if lines != _lines(path):
                write_atomically(path, b"".join(lines))
        return checkpoint.state if checkpoint else None

    def check_unchanged(self) -> None:
        """Refuse to go on if another process has begun another run in the folder meanwhile."""
        self._check_whole()
        if open_run(self.folder).configuration != self.configuration:
            raise InputError(
                f"The run {self.folder} was overwritten by another process meanwhile. "
                "Give each run a folder of its own."
            )


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _append(path: Path, lines: bytes) -> None:
    """Add lines to `path`, on the disk when this returns."""
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def _decode(path: Path, lines: list[bytes], kind: type[T]) -> list[T]:
    try:
        return [msgspec.json.decode(line, type=kind) for line in lines]
    except (ValueError, RecursionError) as error:
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
    made: Made | None = None,
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
    made
        What makes it; absent: training, without snapshots.

    Raises
    ------
    InputError
        If `folder` is not empty, unless it holds a run and `force` is set; or another process writes it.
    """
    configuration = configure(recipe, network, digits, made)
    content = json.dumps(msgspec.to_builtins(configuration), indent=2, sort_keys=True, ensure_ascii=False)
    if folder is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        digest = hashlib.sha256(content.encode()).hexdigest()[:6]
        folder = _unused(runs / f"{stamp}-{recipe.name}-{digest}")
    folder.mkdir(parents=True, exist_ok=True)
    _check_free(folder, force)
    with writing(folder):
        _check_free(folder, force)
        for name in (CHECKPOINT, EPOCHS, TIMING, HISTORY, PLAN, BEFORE) if force else ():
            (folder / name).unlink(missing_ok=True)
        write_atomically(folder / CONFIGURATION, content.encode() + b"\n")
    return Run(folder, configuration)


def _check_free(folder: Path, force: bool) -> None:
    """Refuse a folder with something in it, unless it is a run that may be overwritten."""
    names = {path.name for path in folder.iterdir() if not is_own(path.name)}
    if names and CONFIGURATION not in names:
        raise InputError(f"The folder {folder} is not empty and holds no run. Give an empty or new one.")
    if names and not force:
        raise InputError(
            f"The folder {folder} holds a run already. Continue it with --resume, "
            "overwrite it with --force, or give another folder."
        )


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
        Steps from snapshot to snapshot of the network, instead of those that the run was begun with.

    Raises
    ------
    InputError
        If the digits are others, what is on disk does not fit, something else made the run, or another
        process writes it.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    configuration = run.configuration
    if not isinstance(configuration.made, ByTraining):
        raise other_maker(run.folder, configuration.made)
    check_digits(run, digits)
    training = Training(configuration.recipe, configuration.network, digits)
    with writing(run.folder):
        run.check_unchanged()
        state = run.rewind()
        if state is not None:
            training.restore(state)
        learnt, mark, snapshots = 0.0, time.perf_counter(), list[Snapshot]()
        for step in training.run(watch or steps_watched(run)):
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


def check_digits(run: Run, digits: DigitSets) -> None:
    """Refuse digits other than those that `run` was begun on."""
    if (digits.train.provenance, digits.test.provenance) != run.configuration.data:
        raise InputError(
            f"The run {run.folder} was begun on other digits than '{run.data_name}' gives now. "
            "Name the folder that held them with --data-dir."
        )


def steps_watched(run: Run) -> int | None:
    """Return the steps from snapshot to snapshot of `run`; those of the first schema are in its snapshots."""
    made, path = run.configuration.made, run.folder / HISTORY
    if isinstance(made, ByTraining) and made.history is not None:
        return made.history
    first = _lines(path)[:1]
    if run.configuration.schema != FIRST_SCHEMA or not first or not first[0].endswith(b"\n"):
        return None
    return _decode(path, first, Snapshot)[0].step


def _unused(folder: Path) -> Path:
    """Make `folder`, or a numbered sibling if it exists: two runs may start in one second."""
    number, found = 2, folder
    while True:
        try:
            found.mkdir(parents=True)
        except FileExistsError:
            found = folder.with_name(f"{folder.name}-{number}")
            number += 1
        else:
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
        return Run(folder, read_configuration(path.read_bytes()))
    except (ValueError, RecursionError, InputError) as error:
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
