"""Fills the disk at every stage of a command, and takes the right to write: a sentence each, and no loss.

    unshare --user --map-root-user --mount python tests/stress/disk.py

Each command runs in a file system in memory that is too small for it, from a single page upwards; it must say
so in a sentence. With more room the command that goes on must end with the bytes of an undisturbed run.
Mounted read-only, every run must be readable, and what would write must say that it can not. Needs Linux.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stress.common import fork, say, table, wait
from stress.kill import Scenario, Stress, content, scenarios

PAGE = 4096
READERS = (("evaluate", "run"), ("simulate", "run"), ("show", "plan", "run"))


def mount(folder: Path, options: str) -> None:
    """Mount a file system in memory at `folder`, or mount it otherwise."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def is_sentence(code: int | None, said: str) -> bool:
    """Return whether a command ended with one sentence on what the system refused."""
    return (
        code == 1 and said.count("Error: ") == 1 and "The system refused" in said and "Traceback" not in said
    )


class Disk(Stress):
    """Commands in a file system of a page more each time."""

    def filled(self, scenario: Scenario) -> tuple[int, int, int]:
        """Return how many sizes were too small, for how many that was no sentence, or bytes were lost."""
        expected, _ = self.reference(scenario)
        small = silent = lost = 0
        for pages in range(1, 60):
            folder = self._fresh("trial")
            mount(folder, f"size={pages * PAGE}")
            code, said = self.give(scenario.begin, folder)
            mount(folder, "remount,size=16m")
            if code != 0:
                small += 1
                silent += not is_sentence(code, said)
                if not is_sentence(code, said):
                    self.tell(f"{scenario.name}, {pages} pages: exit {code}: {said[-500:]}")
                end, said = self.give(scenario.command(folder), folder)
                if end != 0 or content(folder) != expected:
                    lost += 1
                    self.tell(
                        f"{scenario.name}, {pages} pages: not the same in the end, exit {end}: {said[-500:]}"
                    )
            subprocess.run(["umount", str(folder)], check=True)
            if code == 0:
                break
        return small, silent, lost

    def read_only(self, scenario: Scenario) -> tuple[int, int]:
        """Return how many commands were given a run that can not be written, and how many failed."""
        folder = self._fresh("trial")
        mount(folder, "size=16m")
        self.give(scenario.begin, folder)
        mount(folder, "remount,ro")
        before, failed = content(folder), 0
        writers = [
            ("sweep", "run", "--bits", "2", "--jobs", "1"),
            *([scenario.resume] if scenario.resume else []),
        ]
        for command in (*READERS, *writers):
            code, said = self.give(command, folder)
            good = is_sentence(code, said) if command in writers else code == 0
            failed += not good
            if not good:
                self.tell(f"{command}: exit {code}: {said[-500:]}")
        failed += content(folder) != before
        subprocess.run(["umount", str(folder)], check=True)
        return len(READERS) + len(writers), failed

    def give(self, command: tuple[str, ...], folder: Path) -> tuple[int | None, str]:
        """Give a command; return its exit code and what it said."""
        said = self.work / "said"
        said.unlink(missing_ok=True)
        code = wait(fork(command, folder, said), 120)
        return code, said.read_text(encoding="utf-8")


def main() -> int:
    """Print the tables; exit with 1 if anything was lost or went unsaid."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with tempfile.TemporaryDirectory() as work:
        disk = Disk(Path(work), 0)
        chosen = [each for each in scenarios(False) if not each.name.startswith("train, ad")]
        rows = [(each.name, *disk.filled(each)) for each in chosen]
        say(table(("command", "disks too small", "no sentence", "other bytes in the end"), rows))
        runs = [each for each in chosen if each.name in ("train, sdlm-running", "retrain")]
        read = [(each.name, *disk.read_only(each)) for each in runs]
        say("\n" + table(("run that can not be written", "commands", "wrong"), read))
    return 1 if any(row[2] or row[3] for row in rows) or any(row[2] for row in read) else 0


if __name__ == "__main__":
    sys.exit(main())
