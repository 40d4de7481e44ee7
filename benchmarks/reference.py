"""Record what every command prints and writes, and compare two such records.

A change that is to alter nothing a user sees is proved by a record before it and one after::

    python benchmarks/reference.py record /tmp/before
    ... the change ...
    python benchmarks/reference.py record /tmp/after
    python benchmarks/reference.py compare /tmp/before /tmp/after

``compare FOLDER`` alone records anew, into a folder that is thrown away, and compares with that. It prints
every difference as a unified diff and exits with 1 if there is one. ``--only WORD`` takes the cases whose
name holds WORD, and those that make the runs they read; ``list`` prints all cases.

Each case of `reference_cases` is a command in a process of its own, on the embedded digits. Kept are, in
``FOLDER/cases``, exit code, standard output and standard error; in ``FOLDER/files``, what the runs hold:
``run.json`` and the like as text, checkpoints and rows as SHA-256, each array of a checkpoint too. Seconds,
dates, folders and addresses in memory are replaced by words; nothing else is. The record is of the code that
PYTHONPATH finds, so that one script can look at two trees. With compiled kernels at hand it takes under five
minutes.
"""

import argparse
import difflib
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from reference_cases import CASES, FILES, MAKES
from safetensors.numpy import save_file

NORMAL = (
    # (what legitimately varies, what stands for it)
    (
        re.compile(r'("(?:\w+_seconds|seconds|total|training|import_s|digits_per_second)": )[\d.e+-]+'),
        r"\1SECONDS",
    ),
    (re.compile(r"\b(training|scoring|total|in) +[\d.,]+ s\b"), r"\1 SECONDS"),
    (re.compile(r"\b\d{8}-\d{6}-([\w.-]+?)-[0-9a-f]{6}\b"), r"DATE-\1-DIGEST"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z]*"), "DATE"),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
    (re.compile(r"\bWORK/no-data\b"), "no-data"),
)
NOTICE = re.compile(r"Using the embedded\s+sample.*?unset that\.", re.DOTALL)
"""Names a folder, and is broken where its length says."""
SKIPPED = {"timing.jsonl"}
DIGESTED = {".jsonl", ".safetensors", ".npz"}


def main() -> int:
    """Do what the arguments say, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    record_verb = verbs.add_parser("record", help="run every command and keep what comes out")
    record_verb.add_argument("folder", type=Path)
    compare_verb = verbs.add_parser("compare", help="print every difference; exit with 1 if there is one")
    compare_verb.add_argument("before", type=Path)
    compare_verb.add_argument("after", type=Path, nargs="?", help="without it, a new record")
    for verb in (record_verb, compare_verb):
        verb.add_argument("--only", metavar="WORD", default="", help="the cases whose name holds WORD")
    verbs.add_parser("list", help="print the name of every case and its command")
    asked = parser.parse_args()
    if asked.verb == "list":
        for name, words in CASES.items():
            print(f"{name}: retronet {words}")
        return 0
    if asked.verb == "record":
        record(asked.folder, asked.only)
        return 0
    if asked.after is not None:
        return report(asked.before, asked.after, asked.only)
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder) / "record", asked.only)
        return report(asked.before, Path(folder) / "record", asked.only)


def chosen(only: str) -> list[str]:
    """Return the names of the cases that hold `only`, and of those that make the runs they read."""
    wanted = {name for name in CASES if only in name}
    read = {word.partition("/")[0] for name in wanted for word in shlex.split(CASES[name])}
    made = {MAKES[folder] for folder in read & MAKES.keys()}
    made |= {MAKES[word] for name in made for word in CASES[name].split() if word in MAKES}
    return [name for name in CASES if name in wanted | made]


def record(folder: Path, only: str = "") -> None:
    """Run the cases in order in ``folder/work`` and keep what each says.

    Raises
    ------
    SystemExit
        If there is something in `folder` already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"There is something in {folder} already; name another folder, or delete that one.")
    work, cases = (folder / "work").absolute(), folder / "cases"
    for each in (work, cases):
        each.mkdir(parents=True)
    for name, text in FILES.items():
        (work / name).write_text(text, encoding="utf-8")
    _write_weights(work / "weights.safetensors")
    names, mark = chosen(only), time.perf_counter()
    for number, name in enumerate(names, 1):
        begun = time.perf_counter()
        (cases / f"{name}.txt").write_text(normal(_said(CASES[name], work), work), encoding="utf-8")
        print(f"{number}/{len(names)} {name}: {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    for path in sorted(each for each in work.rglob("*") if each.is_file()):
        local = Path(normal(str(path.relative_to(work)), work))
        if local.name not in SKIPPED:
            kept = folder / "files" / f"{local}.txt"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("\n".join(_content(path, work)) + "\n", encoding="utf-8")
    print(f"{len(names)} cases in {time.perf_counter() - mark:.0f} s: {folder}", file=sys.stderr)


def _write_weights(path: Path) -> None:
    """Write a network for `import`: numbers that only have to be the same every time."""
    rng = np.random.default_rng(1989)
    shapes = {
        "h1.weight": (12, 1, 5, 5),
        "h1.bias": (12, 8, 8),
        "h2.weight": (12, 8, 5, 5),
        "h2.bias": (12, 4, 4),
    }
    shapes |= {"h3.weight": (30, 192), "h3.bias": (30,), "output.weight": (10, 30), "output.bias": (10,)}
    save_file(
        {name: rng.uniform(-0.1, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}, path
    )


def _said(words: str, work: Path) -> str:
    """Return the command, its exit code and what it printed."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("RETRONET_", "LC_", "LANG"))
    }
    fixed = {
        "RETRONET_OFFLINE": "1",
        "RETRONET_DATA_DIR": "no-data",
        "RETRONET_RUNS_DIR": "runs",
        "COLUMNS": "100",
        "TERM": "dumb",
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "retronet_cli", *shlex.split(words)],
        cwd=work,
        env=environment | fixed,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    out, err = (text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr))
    return f"$ retronet {words}\nexit {done.returncode}\n--- stdout\n{out}--- stderr\n{err}"


def _content(path: Path, work: Path) -> Iterator[str]:
    """Yield the lines that stand for a file."""
    content = path.read_bytes()
    if path.suffix not in DIGESTED:
        yield normal(content.decode("utf-8", "backslashreplace"), work)
        return
    if content[:2] == b"PK":  # an archive holds the time at which it was written
        with np.load(path) as arrays_by_name:
            for name in sorted(arrays_by_name.files):
                array = arrays_by_name[name]
                digest = hashlib.sha256(array.tobytes()).hexdigest()
                yield f"{name} {array.dtype} {list(array.shape)} sha256 {digest}"
        return
    yield f"sha256 {hashlib.sha256(content).hexdigest()} of {len(content)} bytes"
    if path.suffix == ".safetensors":
        size = int.from_bytes(content[:8], "little")
        arrays = json.loads(content[8 : 8 + size])
        for name in sorted(arrays.keys() - {"__metadata__"}):
            first, last = (8 + size + offset for offset in arrays[name]["data_offsets"])
            digest = hashlib.sha256(content[first:last]).hexdigest()
            yield f"{name} {arrays[name]['dtype']} {arrays[name]['shape']} sha256 {digest}"


def normal(text: str, work: Path) -> str:
    """Return `text` with words for what differs from one time and place to another."""
    text = text.replace(str(work.resolve()), "WORK").replace(str(work), "WORK")
    return with_words(text)


def with_words(text: str) -> str:
    """Return `text` with words for what differs from one time to another; a second time changes nothing."""
    for pattern, word in NORMAL:
        text = pattern.sub(word, text)
    return NOTICE.sub(lambda found: " ".join(found[0].split()), text)


def report(before: Path, after: Path, only: str = "") -> int:
    """Print how two records differ; return 1 if they do."""
    # A part of the cases leaves a part of the files, so that only what they print is compared.
    names = set(chosen(only))
    differing = total = 0
    for kind in ("cases", "files") if not only else ("cases",):
        found = [
            {str(path.relative_to(folder / kind)): path for path in (folder / kind).rglob("*.txt")}
            for folder in (before, after)
        ]
        if not found[0]:
            raise SystemExit(f"There is no record in {before}; make one with `record {before}`.")
        for name in sorted(found[0].keys() | found[1].keys()):
            if kind == "cases" and name.removesuffix(".txt") not in names and only:
                continue
            total += 1
            texts = [
                with_words(side[name].read_text(encoding="utf-8")).splitlines() if name in side else []
                for side in found
            ]
            if texts[0] == texts[1] and name in found[0] and name in found[1]:
                continue
            differing += 1
            ends = [f"{folder / kind / name}" for folder in (before, after)]
            print("\n".join(difflib.unified_diff(*texts, *ends, lineterm="")) or f"{name} is in one alone")
    print(f"{differing} of {total} differ.")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
