"""Damages files of every kind and gives them to commands: a sentence must come, never a traceback or a hang.

    python tests/stress/mutate.py --mutants 20000 --seed 0

Where a digest vouches for a file (checkpoints, rows, passes, configurations), a changed file must be refused,
or change nothing in what is printed. Commands run in this process, so that thousands take minutes.
"""

import argparse
import gzip
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stress.common import NETWORK, run_here, say, table, use_few_digits

SECONDS = 20.0
"""How long a command may take; undamaged files take a tenth of a second."""
MEMORY = 16 << 30
"""Bytes of address space that this process may have: what asks for more gets a MemoryError."""
TOKENS = (
    b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"1e60", b"18446744073709551616", b'""', b"null", b"true",
    b"{}", b"[]", b'"x"', b"[" * 2000, b'{"a":' * 2000, b"1979-05-27", b"0.5", b"\xff\xfe", b"\x00",
    "é".encode(),
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A file, the command that reads it, and whether what it prints must not change."""

    name: str
    file: str
    command: tuple[str, ...]
    vouched: bool = False
    strict: bool = False
    """Whether a changed file must be refused, whatever is printed."""
    packed: bool = False
    """Whether the file is gzip, and its content is what is damaged."""


RUN = ("--data", "digits5k", "--network", "tiny.toml")
NEW = ("--run", "new", "--force", *RUN)
NEW_ONNX = ("--run", "new", "--force", "--data", "digits5k", "--digits", "20")
SWEEP = ("sweep", "run", "--bits", "3-6", "--jobs", "1", "--json", "-q")
USPS = ("--data", "usps", "--data-dir", "data")
MNIST = ("mnist", "--data-dir", "data")
KINDS = (
    Kind("checkpoint", "run/checkpoint.safetensors", ("evaluate", "run", "--json"), strict=True),
    Kind("rows of a sweep", "run/sweep.jsonl", SWEEP, True),
    Kind("epochs.jsonl", "run/epochs.jsonl", ("resume", "run", "-q"), True),
    Kind("run.json, trained", "run/run.json", ("resume", "run", "-q"), True),
    Kind("run.json, retrained", "retrained/run.json", ("simulate", "retrained", "--json"), True),
    Kind("plan.toml of a run", "retrained/plan.toml", ("simulate", "retrained", "--json"), True),
    Kind("before.json", "retrained/before.json", ("resume", "retrained", "-q"), True),
    Kind("timing.jsonl", "run/timing.jsonl", ("resume", "run", "-q")),
    Kind("history.jsonl", "run/history.jsonl", ("resume", "run", "-q")),
    Kind("plan", "plan.toml", ("simulate", "run", "--plan", "plan.toml", "--json")),
    Kind("network", "tiny.toml", ("show", "network", "tiny.toml")),
    Kind("recipe", "recipe.toml", ("train", "recipe.toml", "--dry-run")),
    Kind("chip", "chip.toml", ("report", "--chip", "chip.toml", "--json")),
    Kind("import .npz", "w.npz", ("import", "w.npz", *NEW)),
    Kind("import .safetensors", "w.safetensors", ("import", "w.safetensors", *NEW)),
    Kind("import .pt", "w.pt", ("import", "w.pt", *NEW)),
    Kind("import .onnx", "w.onnx", ("import", "w.onnx", *NEW_ONNX)),
    Kind("USPS .gz", "data/usps/zip.test.gz", ("evaluate", "run", *USPS)),
    Kind("USPS text", "data/usps/zip.test.gz", ("evaluate", "run", *USPS), packed=True),
    Kind("MNIST .gz", "data/mnist/t10k-images-idx3-ubyte.gz", ("data", "verify", *MNIST)),
    Kind("MNIST IDX", "data/mnist/t10k-labels-idx1-ubyte.gz", ("data", "verify", *MNIST), packed=True),
)  # fmt: skip
MEASURED = re.compile(r"Measured: .*")
WEIGHTS = {
    "checkpoint": 24,
    "rows of a sweep": 18,
    "USPS .gz": 1,
    "USPS text": 1,
    "MNIST .gz": 1,
    "MNIST IDX": 1,
}
OTHERS = 6
"""How often a kind has its turn: real digits take a second to read."""


class Hang(BaseException):
    """A command took too long."""


def mutant(content: bytes, chance: random.Random) -> bytes:
    """Return `content` with a bit or byte changed, a piece gone or doubled, a word of another kind in it."""
    size = max(len(content), 1)
    at = chance.randrange(size)
    end = min(len(content), at + chance.choice((1, 2, 8, 64, 512)))
    words_only = b"\0" not in content[:512] and chance.random() < 0.3
    match 8 if words_only else chance.randrange(9):
        case 0 | 1:
            return (
                content[:at]
                + bytes([(content[at : at + 1] or b"\0")[0] ^ (1 << chance.randrange(8))])
                + content[at + 1 :]
            )
        case 2:
            return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        case 3:
            return content[:at]
        case 4:
            return content[:at] + content[end:]
        case 5:
            return content[:end] + content[at:]
        case 6:
            return content[:at] + chance.randbytes(end - at) + content[end:]
        case 7:
            return content[:at] + chance.choice(TOKENS) + content[at:]
        case _:
            words = list(re.finditer(rb'-?\d[\d.e+-]*|"[^"\n]*"|true|false|null', content[: 1 << 16]))
            if not words:
                return content[:at]
            word = chance.choice(words)
            return content[: word.start()] + chance.choice(TOKENS) + content[word.end() :]


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `Hang` where the block takes longer."""

    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Stress:
    """Undamaged files of every kind in one folder, and what their commands print."""

    def __init__(self, work: Path, seed: int, data: Path | None, tell: Callable[[str], None] = say) -> None:
        self.work, self.random, self.tell = work, random.Random(seed), tell
        self.counts: dict[str, Counter[str]] = {}
        use_few_digits()
        self._make(data)
        self.kinds = [kind for kind in KINDS if (work / kind.file).exists()]
        self.whole = {kind.name: (work / kind.file).read_bytes() for kind in self.kinds}
        self.files = {path: path.read_bytes() for path in work.glob("r*/*") if path.is_file()}
        self.printed = {}
        for kind in self.kinds:
            result = run_here(kind.command, work)
            if result.exit_code != 0 and not kind.file.startswith("data"):
                raise RuntimeError(f"{kind.name}: {result.output}") from result.exception
            self.printed[kind.name] = result.stdout

    def _make(self, data: Path | None) -> None:
        import numpy as np
        import torch
        from safetensors.numpy import save_file

        root, work = Path(__file__).resolve().parents[2], self.work
        (work / "tiny.toml").write_text(NETWORK, encoding="utf-8")
        shutil.copy(root / "retronet/recipes/lecun1989.toml", work / "recipe.toml")
        shutil.copy(root / "hw_sim/chips/anna/anna.toml", work / "chip.toml")
        self._done("train", *RUN, "--passes", "3", "--history", "100", "--run", "run")
        self._done("retrain", "run", "--passes", "2", "--run", "retrained")
        self._done("sweep", "run", "--bits", "3-6", "--jobs", "1")
        (work / "plan.toml").write_text(self._done("show", "plan", "run", "--toml"), encoding="utf-8")
        from retronet.runs.run import open_run

        parameters = open_run(work / "run").checkpoint().state.parameters
        self._done("export", "onnx", "run", "--form", "float", "-o", "w.onnx")
        np.savez(work / "w.npz", **parameters)
        save_file(parameters, work / "w.safetensors")
        torch.save(
            {name: torch.from_numpy(array.copy()) for name, array in parameters.items()}, work / "w.pt"
        )
        if data is not None:
            for path in (*data.glob("usps/zip.*.gz"), *data.glob("mnist/*.gz")):
                (work / "data" / path.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, work / "data" / path.parent.name / path.name)

    def _done(self, *arguments: str) -> str:
        result = run_here(arguments, self.work)
        if result.exit_code != 0:
            raise RuntimeError(result.output) from result.exception
        return result.stdout

    def trial(self, kind: Kind) -> None:
        """Damage a file, give it to its command, count what came, and mend it."""
        count = self.counts.setdefault(kind.name, Counter())
        path, whole = self.work / kind.file, self.whole[kind.name]
        inner = gzip.decompress(whole)[:100_000] if kind.packed else whole
        damaged = mutant(inner, self.random)
        for _ in range(self.random.choice((0, 0, 1, 3))):
            damaged = mutant(damaged, self.random)
        path.write_bytes(gzip.compress(damaged, 1) if kind.packed else damaged)
        what = self._outcome(kind, damaged == inner and not kind.packed)
        count["mutants"] += 1
        count[what] += 1
        if what in ("traceback", "hang", "silent"):
            self._keep(kind, damaged, what)
        path.write_bytes(whole)
        for other, content in self.files.items():
            if not other.exists() or other.read_bytes() != content:
                other.write_bytes(content)

    def _outcome(self, kind: Kind, same: bool) -> str:
        try:
            with limited(SECONDS):
                result = run_here(kind.command, self.work)
        except Hang:
            return "hang"
        if isinstance(result.exception, Hang):
            return "hang"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            self.tell(f"{kind.name}: {type(result.exception).__name__}: {str(result.exception)[:200]}")
            return "traceback"
        if result.exit_code != 0:
            return "refused"
        changed = MEASURED.sub("", result.stdout) != MEASURED.sub("", self.printed[kind.name])
        if not same and (kind.strict or (kind.vouched and changed)):
            self.tell(f"{kind.name}: accepted although changed")
            return "silent"
        return "accepted"

    def _keep(self, kind: Kind, damaged: bytes, what: str) -> None:
        """Keep what went wrong, to look at."""
        kept = Path(tempfile.gettempdir()) / "retronet-mutants"
        kept.mkdir(exist_ok=True)
        name = kind.file.replace("/", "-")
        (kept / f"{what}-{sum(each.total() for each in self.counts.values())}-{name}").write_bytes(damaged)


def run(
    mutants: int,
    seed: int,
    work: Path,
    data: Path | None,
    only: Sequence[str] = (),
    tell: Callable[[str], None] = say,
) -> Stress:
    """Try so many mutants, every kind in its turn; SIGTERM ends it early."""
    stress = Stress(work, seed, data, tell)
    kinds = [kind for kind in stress.kinds if not only or kind.name.startswith(tuple(only))]
    turns = [kind for kind in kinds for _ in range(WEIGHTS.get(kind.name, OTHERS))]
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    for number in range(mutants):
        if stopped:
            break
        stress.trial(turns[number % len(turns)])
        if number % 100 == 99:
            sys.stderr.write(f"{number + 1} mutants\r")
    return stress


def main() -> int:
    """Print the table; exit with 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="a folder with the real digits")
    parser.add_argument("--only", nargs="+", default=(), help="kinds, by how their names begin")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        found = run(arguments.mutants, arguments.seed, Path(work), arguments.data_dir, arguments.only)
    columns = ("mutants", "refused", "accepted", "traceback", "hang", "silent")
    rows = [(name, *(count[column] for column in columns)) for name, count in found.counts.items()]
    total = ["all", *(sum(count[column] for count in found.counts.values()) for column in columns)]
    heads = (
        "file",
        "mutants",
        "refused in a sentence",
        "accepted",
        "tracebacks",
        "hangs",
        "changed but accepted",
    )
    say(table(heads, [*rows, total]))
    say(f"{time.perf_counter() - started:.0f} s")
    return 1 if any(count[bad] for count in found.counts.values() for bad in columns[3:]) else 0


if __name__ == "__main__":
    sys.exit(main())
