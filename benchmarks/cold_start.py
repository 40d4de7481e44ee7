"""Seconds from an empty kernel cache to the result, command by command, and once more from a full one.

    python benchmarks/cold_start.py [--json FILE] [NAME ...]

A run of a few digits is trained first, into a folder that is thrown away; its kernels are compiled into a
cache of their own, which no other command sees. Each command then starts with an empty cache in a process of
its own. Besides the time on the clock the processor's seconds are shown: on a machine with other work they
are what two runs can be compared by.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

TRAIN = ("train", "--data", "digits5k", "--passes", "1")
COMMANDS: dict[str, tuple[str, ...]] = {
    "train": (*TRAIN, "--force"),
    "evaluate": ("evaluate",),
    "simulate": ("simulate", "--bits", "8"),
    "simulate-wrapped": ("simulate", "--bits", "8", "--accumulator-bits", "20"),
    "dsp32c": ("simulate", "--chip", "dsp32c-80ns"),
    "anna": ("simulate", "--chip", "anna", "--chips", "1"),
    "net32k": ("simulate", "--chip", "net32k", "--chips", "1"),
    "graf54": ("simulate", "--chip", "graf54"),
    "retrain": ("retrain", "--bits", "4", "--passes", "1"),
    "allocate": ("allocate",),
    "sweep": ("sweep", "--bits", "4,8", "--jobs", "1"),
}


def processor_seconds() -> float:
    """Return what ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(words: tuple[str, ...], cache: Path, where: Path) -> tuple[float, float]:
    """Run a command; return seconds on the clock and of the processor."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    start, used = perf_counter(), processor_seconds()
    subprocess.run(
        [sys.executable, "-m", "retronet_cli", *words], cwd=where, env=environment, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return perf_counter() - start, processor_seconds() - used


def main() -> None:
    """Time the commands that are asked for, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMMANDS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures are written")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(COMMANDS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: only {', '.join(COMMANDS)} are known")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        run(TRAIN, where / "first", where)
        print(f"{'':18}{'cold s':>9}{'cpu s':>9}{'warm s':>9}{'cpu s':>9}")  # noqa: T201
        for name in asked.names or COMMANDS:
            cache = where / f"cache-{name}"
            cold, warm = (run(COMMANDS[name], cache, where) for _ in range(2))
            found[name] = {
                "cold_s": cold[0], "cold_cpu_s": cold[1], "warm_s": warm[0], "warm_cpu_s": warm[1],
            }  # fmt: skip
            print(f"{name:18}{cold[0]:9.1f}{cold[1]:9.1f}{warm[0]:9.1f}{warm[1]:9.1f}", flush=True)  # noqa: T201
    if asked.json:
        asked.json.write_text(json.dumps({"schema": "retronet/cold-start/1", "commands": found}, indent=2))


if __name__ == "__main__":
    main()
