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

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from retronet.errors import ChoiceError, InputError
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
    RunConfiguration,
    digest_of_text,
    read_configuration,
)
from retronet.runs.files import append, damaged, decode_lines, read_lines
from retronet.runs.lines import stamped, unstamped
from retronet.runs.makers import go_on_command
from retronet.trained import Trained
from retronet.training.snapshots import Snapshot
from retronet.training.train import PassRecord, TrainingState

T = TypeVar("T")

CONFIGURATION = "run.json"
EPOCHS = "epochs.jsonl"
CHECKPOINT = "checkpoint.safetensors"
TIMING = "timing.jsonl"
HISTORY = "history.jsonl"
PLAN = "plan.toml"
BEFORE = "before.json"
"""What a retrained run has besides: see :mod:`hw_sim.studies.retrained_run`."""
NETWORK = "network.toml"
"""What a run has besides whose network came with it: its description, for people; ``run.json`` counts."""


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
        return decode_lines(self.folder / TIMING, read_lines(self.folder / TIMING), Timing)

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots of the passes so far, none if the run was trained without them."""
        passes, path = self.passes, self.folder / HISTORY
        whole = [line for line in read_lines(path) if line.endswith(b"\n")]
        return [each for each in decode_lines(path, whole, Snapshot) if each.number <= passes]

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
            raise damaged(self.folder / CONFIGURATION, f"it is not the one that {CHECKPOINT} was written for")
        return checkpoint

    def _check_whole(self) -> None:
        configuration = self.configuration
        if configuration.schema == FIRST_SCHEMA:
            return
        if configuration.sha256 != digest_of_text((self.folder / CONFIGURATION).read_bytes()):
            raise damaged(self.folder / CONFIGURATION, "its digest is that of another content")

    def _records(self, header: Header) -> list[PassRecord]:
        """Return the records up to the checkpoint with `header`, checked against it."""
        path = self.folder / EPOCHS
        lines = read_lines(path)[: header.passes]
        try:
            contents = [unstamped(line) for line in lines]
        except ValueError as error:
            raise damaged(path, str(error)) from error
        records = decode_lines(
            path, [content or line for content, line in zip(contents, lines, strict=True)], PassRecord
        )
        if None in contents and self.configuration.schema != FIRST_SCHEMA:
            raise damaged(path, f"its line {contents.index(None) + 1} has no digest")
        if len(records) < header.passes:
            raise damaged(path, f"it has {len(records)} of {header.passes} passes")
        for number, record in enumerate(records, 1):
            if record.number != number:
                raise damaged(path, f"its line {number} is that of pass {record.number}")
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
            append(self.folder / HISTORY, b"".join(msgspec.json.encode(each) + b"\n" for each in snapshots))
        append(self.folder / EPOCHS, stamped(msgspec.json.encode(record)))
        append(self.folder / TIMING, msgspec.json.encode(timing) + b"\n")
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
        kept = {path: read_lines(path)[:passes] for path in (epochs, timing)}
        decode_lines(timing, kept[timing], Timing)
        if checkpoint:
            self._records(checkpoint.header)
        history = self.folder / HISTORY
        if history.exists():
            snapshots = read_lines(history)
            taken = decode_lines(history, [line for line in snapshots if line.endswith(b"\n")], Snapshot)
            kept[history] = [
                line for line, each in zip(snapshots, taken, strict=False) if each.number <= passes
            ]
        for path, lines in kept.items():
            if lines != read_lines(path):
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
        raise damaged(path, str(error)) from error


def latest_run(runs: Path) -> Run:
    """Return the run below `runs` whose checkpoint is the newest.

    Raises
    ------
    InputError
        If no run there has one.
    """
    checkpoints = sorted(runs.glob(f"*/{CHECKPOINT}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not checkpoints:
        raise InputError(f"There is no trained run in {runs}. Make one with `retronet train`, or name one.")
    return open_run(checkpoints[-1].parent)
