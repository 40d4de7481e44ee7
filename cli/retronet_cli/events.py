"""Event files for TensorBoard: what each pass and snapshot of a training tells, as scalars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from retronet.errors import InputError

if TYPE_CHECKING:
    from retronet.training.snapshots import Snapshot
    from retronet.training.train import PassRecord

Tell = Callable[["PassRecord | Snapshot"], None]


@contextmanager
def event_files(folder: Path | None) -> Iterator[Tell]:
    """Give a function that writes records to event files in `folder`, or does nothing without one.

    Passes are counted by pass, snapshots by step. An event holds the time at which it was written.

    Raises
    ------
    InputError
        If the package tensorboard is not installed.
    """
    if folder is None:
        yield lambda _record: None
        return
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise InputError(
            "The option --tensorboard needs the package tensorboard, which is not installed. "
            "Install it with: pip install 'retronet[tensorboard]'."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    writer = Writer(str(folder))

    def tell(record: "PassRecord | Snapshot") -> None:
        step, scalars = scalars_of(record)
        for tag, value in scalars.items():
            writer.add_scalar(tag, value, step)
        writer.flush()

    try:
        yield tell
    finally:
        writer.close()


def scalars_of(record: "PassRecord | Snapshot") -> tuple[int, dict[str, float]]:
    """Return the step of a record and its numbers by tag, such as ``test/error_percent``."""
    from retronet.training.train import PassRecord

    if isinstance(record, PassRecord):
        scalars = {"rate": record.rate, "running_loss": record.running_loss}
        for half in ("train", "test", "validation"):
            score = getattr(record, half)
            fields = {} if score is None else msgspec.structs.asdict(score)
            scalars |= {f"{half}/{key}": value for key, value in fields.items() if value is not None}
        return record.number, scalars
    return record.step, {
        f"{kind}/{name}/{key}": value
        for kind in ("activations", "gradients", "parameters")
        for name, summary in getattr(record, kind).items()
        for key, value in msgspec.structs.asdict(summary).items()
    }
