"""Commands cut off in the middle, and what they leave."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEASURED = "timing.jsonl"


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a run but those of measured times."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != MEASURED}


@contextmanager
def cut_off_at(kind: type, passes: int, counter: str = "passes") -> Iterator[None]:
    """Interrupt training, retraining or pruning when so many passes, or stages, are done."""
    whole = kind.run

    def run(self: object, *arguments: object) -> Iterator[object]:
        for step in whole(self, *arguments):
            yield step
            if getattr(self, counter) >= passes:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kind, "run", run)
        yield
