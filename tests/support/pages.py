"""The fenced blocks of a page: what is to be run, and what is to come of it.

- ``console``: lines after ``$ `` are commands for bash, continued by a backslash or by lines that begin with
  ``> ``; what follows is output.
- ``sh`` and ``python``: one thing to run; an ``output`` block right behind it is output.
- ``toml`` and ``json``: to be read; ``text``: anything else.

Output is an excerpt: its lines occur in what is printed, in this order, other lines between them or not. A
``…`` in a line stands for anything; a line of it, like ``...``, for lines left out.
"""

import re
from dataclasses import dataclass
from pathlib import Path

KINDS = ("console", "sh", "python", "output", "toml", "json", "text")


@dataclass(frozen=True)
class Step:
    """Something to run: ``kind`` is "bash", "python", "toml" or "json"; ``shown`` are lines of output."""

    kind: str
    code: str
    line: int
    shown: tuple[str, ...] = ()


def steps_of(page: Path) -> list[Step]:
    """Return what `page` says to run, in order.

    Raises
    ------
    ValueError
        If a block says nothing of its kind, or is of none that is known; if output stands where nothing ran.
    """
    steps: list[Step] = []
    for kind, line, lines in _blocks(page):
        match kind:
            case "console":
                steps += _console(lines, line)
            case "sh" | "python" | "toml" | "json":
                steps.append(Step("bash" if kind == "sh" else kind, "\n".join(lines) + "\n", line))
            case "output":
                if not steps:
                    raise ValueError(f"{page}:{line}: output of nothing that was run")
                last = steps.pop()
                steps.append(Step(last.kind, last.code, last.line, (*last.shown, *lines)))
            case "text":
                pass
            case _ if kind.startswith("{"):
                pass
            case _:
                raise ValueError(f"{page}:{line}: a block of kind {kind!r}, not one of {', '.join(KINDS)}")
    return steps


def _blocks(page: Path) -> list[tuple[str, int, list[str]]]:
    """Return kind, number of the first line, and lines of each fenced block."""
    blocks: list[tuple[str, int, list[str]]] = []
    closing = ""
    indent = 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"( *)(```+)(.*)$", line)
        if closing:
            if line.strip() == closing:
                closing = ""
            else:
                blocks[-1][2].append(line[indent:] if line[:indent].isspace() else line)
        elif fence:
            indent, closing = len(fence[1]), fence[2]
            blocks.append((fence[3].strip(), number + 1, []))
    return blocks


def _console(lines: list[str], first: int) -> list[Step]:
    steps: list[Step] = []
    continued = False
    for number, line in enumerate(lines, first):
        if line.startswith("$ "):
            steps.append(Step("bash", line[2:] + "\n", number))
        elif not steps:
            raise ValueError(f"line {number}: output before any command")
        elif continued or (re.match("> |>$", line) and not steps[-1].shown):
            last = steps.pop()
            more = line if continued else line[2:]
            steps.append(Step("bash", f"{last.code}{more}\n", last.line))
        else:
            last = steps.pop()
            steps.append(Step("bash", last.code, last.line, (*last.shown, line)))
        continued = line.endswith("\\") and not steps[-1].shown
    return steps


def lines_missing(shown: tuple[str, ...], printed: str) -> list[str]:
    """Return the lines of `shown` that `printed` does not have, or not in this order."""
    remaining = iter([line.rstrip() for line in printed.splitlines()])
    missing = []
    for line in shown:
        text = line.rstrip()
        if text in ("", "…", "..."):
            continue
        pattern = re.compile(".*".join(map(re.escape, text.split("…"))))
        rest = list(remaining)
        at = next((index for index, real in enumerate(rest) if pattern.fullmatch(real)), None)
        if at is None:
            missing.append(line)
        remaining = iter(rest if at is None else rest[at + 1 :])
    return missing
