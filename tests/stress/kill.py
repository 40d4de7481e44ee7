"""Kills commands at random moments, goes on as the product says, and compares every byte.

    python tests/stress/kill.py --kills 500 --seed 0

Each command runs in a process of its own on a small network and few digits, is ended by SIGKILL, up to three
times, and then goes on to its end. What it leaves must be the bytes of the run that nothing disturbed; only
``timing.jsonl`` may differ, and the order of a sweep's rows where two processes measure them.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stress.common import NETWORK, PROGRAM, fork, kill, run_here, say, table, use_few_digits, wait

RULES = {
    "sgd": ('rule={kind="sgd"}', 0.02),
    "sdlm-running": ('rule={kind="sdlm-running", mu=0.05, gamma=0.05}', 2e-3),
    "sdlm-batch": ('rule={kind="sdlm-batch", mu=0.02, patterns=20}', 2e-3),
    "adam": ('rule={kind="adam", batch=7}', 3e-3),
    "adamw": ('rule={kind="adamw"}', 3e-3),
}
RECIPE = ["--data", "digits5k", "--network", "../tiny.toml"]
RUN = ["--run", "run"]
PUBLISHED = """
[[recipes]]
recipe = "../recipe.toml"
seeds = [0, 1]
figures = [{ pass = 2, digits = "test", quantity = "misses", published = 30, source = "none" }]
"""


@dataclass(frozen=True)
class Scenario:
    """A command, and the one that goes on with what it left; `spawned` in a process started from nothing."""

    name: str
    begin: tuple[str, ...]
    resume: tuple[str, ...] | None = None
    spawned: bool = False

    def command(self, folder: Path) -> tuple[str, ...]:
        """Return the command to give, whatever `folder` holds by now."""
        begun = (folder / "run" / "run.json").exists()
        return self.resume if self.resume and begun else self.begin


def scenarios(spawned: bool) -> list[Scenario]:
    """Return all there are; those that start processes of their own take seconds each."""
    found = [
        Scenario(
            f"train, {rule}",
            ("train", *RECIPE, *RUN, "--passes", "6", "--set", setting, "--set", f"schedule.rate={rate}"),
            ("train", "--resume", "run"),
        )
        for rule, (setting, rate) in RULES.items()
    ]
    found += [
        Scenario(
            "train, shuffled, with history",
            ("train", *RECIPE, *RUN, "--passes", "6", "--set", "order=shuffled", "--history", "70"),
            ("resume", "run"),
        ),
        Scenario(
            "train, with patience",
            ("train", *RECIPE, *RUN, "--passes", "6", "--set", "patience=2",
             "--set", 'holdout={digits=50, seed=1}'),
            ("resume", "run"),
        ),
        Scenario(
            "train --seeds",
            ("train", *RECIPE, "--passes", "4", "--seeds", "0-2", "--jobs", "1", "--runs", "run"),
        ),
        Scenario("retrain", ("retrain", "../origin", *RUN, "--passes", "4"), ("retrain", "--resume", "run")),
        Scenario(
            "prune",
            ("prune", "../origin", *RUN, "--stages", "4", "--passes", "1"),
            ("prune", "--resume", "run"),
        ),
        Scenario(
            "retrain, three levels",
            ("retrain", "../origin", *RUN, "--passes", "4", "--weight-format", "{-1,0,1}",
             "--layers", "last"),
            ("resume", "run"),
        ),
        Scenario("sweep", ("sweep", "../origin", "--bits", "2-6", "--jobs", "1", "-o", "run/rows.jsonl")),
        Scenario("reproduce", ("reproduce", "--jobs", "1", "--runs", "run")),
    ]  # fmt: skip
    if spawned:
        found += [
            Scenario(
                "train --seeds, two processes, the parent killed",
                ("train", *RECIPE, "--passes", "60", "--seeds", "0-3", "--jobs", "2", "--runs", "run"),
                spawned=True,
            ),
            Scenario(
                "sweep, two processes, the parent killed",
                ("sweep", "../whole", "--bits", "2-15", "--jobs", "2", "-o", "run/rows.jsonl"),
                spawned=True,
            ),
        ]
    return found


@dataclass
class Tally:
    """What came of a scenario."""

    trials: int = 0
    kills: int = 0
    lost: int = 0
    """Trials whose bytes were others in the end, or that could not go on."""
    left: int = 0
    """Trials that left temporary files or locks behind."""


class Stress:
    """Everything in one folder: the undisturbed runs, and a folder for the trial at hand."""

    def __init__(self, work: Path, seed: int, tell: Callable[[str], None] = say) -> None:
        self.work, self.random, self.tell = work, random.Random(seed), tell
        self.whole: dict[str, tuple[dict[str, bytes], float]] = {}
        self.tallies: dict[str, Tally] = {}
        (work / "tiny.toml").write_text(NETWORK, encoding="utf-8")
        use_few_digits()
        recipe = (Path(__file__).resolve().parents[2] / "retronet" / "recipes" / "lecun1989.toml").read_text(
            encoding="utf-8"
        )
        (work / "recipe.toml").write_text(_tiny(recipe), encoding="utf-8")
        (work / "published.toml").write_text(PUBLISHED, encoding="utf-8")
        from retronet.studies import reproduce

        reproduce.FILE = work / "published.toml"
        (work / "begin").mkdir()
        self._warm_up()
        self._undisturbed(("train", *RECIPE, "--run", "../origin", "--passes", "3"), False, work / "begin")

    def _warm_up(self) -> None:
        """Import and compile here what forks then have at once."""
        folder = self._fresh("warm")
        for scenario in [
            Scenario("", ("train", *RECIPE, "--run", "../warm-origin", "--passes", "1")),
            *scenarios(False),
        ]:
            words = [word.replace("../origin", "../warm-origin") for word in scenario.begin]
            words = ["2" if word in ("6", "2-6") else word for word in words]
            run_here(words, folder)
            shutil.rmtree(folder / "run", ignore_errors=True)

    def reference(self, scenario: Scenario) -> tuple[dict[str, bytes], float]:
        """Return the files of the undisturbed command, and its seconds."""
        if scenario.name not in self.whole:
            if "../whole" in scenario.begin and not (self.work / "whole").exists():
                self._undisturbed(
                    ("train", *RECIPE, "--run", "../whole", "--passes", "1"), True, self.work / "begin"
                )
            folder = self._fresh("reference")
            started = time.perf_counter()
            self._undisturbed(scenario.begin, scenario.spawned, folder)
            self.whole[scenario.name] = content(folder), time.perf_counter() - started
        return self.whole[scenario.name]

    def trial(self, scenario: Scenario) -> None:
        """Kill a command up to three times, go on to the end, and count."""
        expected, seconds = self.reference(scenario)
        tally = self.tallies.setdefault(scenario.name, Tally())
        tally.trials += 1
        folder = self._fresh("trial")
        for _ in range(self.random.choice((1, 1, 2, 3))):
            process = self._begin(scenario.command(folder), scenario.spawned, folder)
            if wait(process, self.random.uniform(0, seconds * 1.05)) is None:
                kill(process)
                tally.kills += 1
        code = wait(self._begin(scenario.command(folder), scenario.spawned, folder), 120)
        found = content(folder)
        left = {name for name in found if name.rpartition("/")[2].startswith(".")}
        tally.left += bool(left)
        if code != 0 or {name: found[name] for name in found.keys() - left} != expected:
            tally.lost += 1
            differing = [
                name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
            ]
            self.tell(f"LOST: {scenario.name}: exit {code}, differing {differing}")
            self.tell((self.work / "said").read_text(encoding="utf-8")[-1500:])

    def _undisturbed(self, arguments: tuple[str, ...], spawned: bool, folder: Path) -> None:
        if wait(self._begin(arguments, spawned, folder), 300) != 0:
            raise RuntimeError((self.work / "said").read_text(encoding="utf-8"))

    def _begin(self, arguments: tuple[str, ...], spawned: bool, folder: Path) -> int:
        said = self.work / "said"
        said.unlink(missing_ok=True)
        if not spawned:
            return fork(arguments, folder, said)
        with said.open("ab") as output:
            command = [sys.executable, "-c", PROGRAM, *arguments]
            return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output).pid

    def _fresh(self, name: str) -> Path:
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


def content(folder: Path) -> dict[str, bytes]:
    """Return the files below `folder` but for measured times, the rows of a sweep sorted."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "timing.jsonl":
            lines = path.read_bytes().splitlines(keepends=True)
            found[str(path.relative_to(folder))] = b"".join(
                sorted(lines) if path.name == "rows.jsonl" else lines
            )
    return found


def _tiny(recipe: str) -> str:
    """Return the recipe of 1989 for the small network and three passes."""
    changed = {"name": '"tiny"', "network": '"../tiny.toml"', "data": '"digits5k"', "passes": "3"}
    lines = [line for line in recipe.splitlines() if line.partition(" =")[0] not in changed]
    return "\n".join([f"{key} = {value}" for key, value in changed.items()] + lines) + "\n"


def run(
    kills: int, seed: int, spawned_trials: int, work: Path, tell: Callable[[str], None] = say
) -> dict[str, Tally]:
    """Kill until there were so many kills, every scenario in its turn; return what came of each."""
    stress = Stress(work, seed, tell)
    for scenario in scenarios(spawned_trials > 0):
        for _ in range(spawned_trials if scenario.spawned else 0):
            stress.trial(scenario)
    while sum(tally.kills for tally in stress.tallies.values()) < kills:
        for scenario in scenarios(False):
            stress.trial(scenario)
        sys.stderr.write(f"{sum(tally.kills for tally in stress.tallies.values())} kills\r")
    return stress.tallies


def main() -> int:
    """Print the table; exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument(
        "--spawned", type=int, default=10, help="trials of each command that starts processes"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found = run(arguments.kills, arguments.seed, arguments.spawned, Path(work))
    rows = [(name, each.trials, each.kills, each.lost, each.left) for name, each in found.items()]
    total = ["all", *(sum(row[column] for row in rows) for column in range(1, 5))]
    say(table(("command", "trials", "kills", "other bytes in the end", "files left over"), [*rows, total]))
    return 1 if any(each.lost or each.left for each in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
