"""Every command and every block of Python in the pages is run, and every line of output in them is printed.

How a page says what it runs stands in `support/pages.py`. Each page runs in order in an empty folder of its
own, 80 columns wide, on the real digits and without a network; two pages run at a time.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numba
import pytest
from support.page_runner import REPOSITORY, Kitchen
from support.pages import Step, lines_missing, steps_of

from hw_sim.chips.spec import ChipSpec
from retronet.network import NetworkSpec
from retronet.recipe import Recipe
from retronet.refusals import as_kind, parse_toml

DRAWN_BY = "3.11.2"
"""The version of matplotlib that drew the pictures in docs; another one may draw other bytes."""
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES if "```" in page.read_text(encoding="utf-8")]


class Instead(NamedTuple):
    """What is run instead of what a page says; of such a command the output is not compared."""

    said: str
    """A pattern in the command."""
    run: str | None
    """What stands in its place; nothing is run if None."""
    why: str


INSTEAD = (
    Instead(r"^(\.venv/bin/)?pip install", None, "fetches packages"),
    Instead(r"^python3 -m venv", None, "the set-up, which .ci/run runs word for word"),
    Instead(r"--seeds 0-9 --runs lenet1s", "--seeds 0-1 --passes 1 --runs lenet1s", "ten take minutes"),
    Instead(r"--seeds 0-99?\b", "--seeds 0 --passes 1 --set take=200", "two minutes for ten seeds"),
    Instead(
        r"^retronet reproduce (?!usps2023$|karpathy2022$|lecun1990$)(\S+)$",
        r"retronet train \1 --passes 1 --set take=2000",
        "several seeds, or minutes for one",
    ),
    Instead(r"--choices all", "--choices default,zero --seeds 0-1", "800 seeds take an hour"),
    Instead(r"--passes 10 --run quantised", "--passes 1 --run quantised", "ten passes of five networks"),
    Instead(r"in range\(5\)\]", "in range(2)]", "five seeds take minutes"),
    Instead(r"^count = 7291$", "count = 300", "as many equations take half a minute"),
    Instead(r"in range\(5\):", "in range(1):", "a quarter of a minute for each seed"),
    Instead(r"--kills 520", "--kills 3", "ten minutes"),
    Instead(r"--mutants 20000", "--mutants 20", "five minutes"),
    Instead(r"--data-dir DATA", '--data-dir "$RETRONET_DATA_DIR"', "a folder that is the reader's"),
    Instead(r"^make -C circuit ice40", "make -n -C circuit ice40", "placing takes minutes; test_rtl does it"),
    Instead(r"^model\.export", None, "Keras, which the tests do without"),
    Instead(r"^unshare ", None, "file systems of its own, for minutes"),
)

GIVEN = {
    "docs/import.md": """
import torch
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, Sequential, Tanh
torch.manual_seed(0)
network = Sequential(
    Conv2d(1, 4, 5), Tanh(), MaxPool2d(2), Conv2d(4, 8, 5), Tanh(), MaxPool2d(2), Flatten(), Linear(128, 10)
)
"""
}
"""What a page takes for granted, because it is the reader's own."""


def instead(step: Step) -> str | None:
    """Return what is run for `step`: its own code, in nearly all cases."""
    code: str | None = step.code
    for entry in INSTEAD:
        if code is not None and re.search(entry.said, code, re.MULTILINE):
            code = None if entry.run is None else re.sub(entry.said, entry.run, code, flags=re.MULTILINE)
    return code


def wrongs(name: str, kitchen: Kitchen, folder: Path) -> list[str]:
    """Run a page in `folder`; return what it says that is not so, each with what was printed."""
    wrong = []
    with kitchen.python(folder) as python:
        python.run(GIVEN.get(name, ""))
        for step in steps_of(REPOSITORY / name):
            code = instead(step)
            if code is None or step.kind not in ("bash", "python"):
                continue
            if step.kind == "python":
                ended, printed = python.run(code)
            elif code.startswith("retronet train "):
                ended, printed = kitchen.train(code, folder)
            else:
                ended, printed = kitchen.bash(code, folder)
            # A page that shows an error means it.
            fails = any(line.startswith("Error: ") for line in step.shown)
            missing = lines_missing(step.shown, printed) if code == step.code else []
            if missing or bool(ended) != fails:
                head = f"{name}:{step.line}: {code.strip()}\nexit code {ended}\nshown, but not printed:"
                wrong.append("\n".join([head, *missing, "printed:", printed]))
    return wrong


def pictures_of(name: str) -> list[Path]:
    """Return the SVG pictures that a page shows."""
    page = REPOSITORY / name
    return [
        page.parent / link for link in re.findall(r"\]\(([\w/]+\.svg)\)", page.read_text(encoding="utf-8"))
    ]


def other(shown: Path, drawn: Path) -> bool:
    """Return whether a page's command drew another picture than the one it shows."""
    return not drawn.exists() or drawn.read_bytes() != shown.read_bytes()


class Run(NamedTuple):
    """A page that runs, or will."""

    folder: Path
    wrongs: "Future[list[str]]"


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, data_dir: Path
) -> Iterator[dict[str, Run]]:
    """Begin to run all pages whose tests were chosen."""
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of digits need compiled code")
    kitchen = Kitchen(tmp_path_factory.mktemp("docs"), data_dir)
    chosen = [
        name for name in NAMES if any(item.name.endswith(f"[{name}]") for item in request.session.items)
    ]
    folders = {name: kitchen.new_folder(name) for name in chosen}
    with ThreadPoolExecutor(2) as pool:
        yield {name: Run(each, pool.submit(wrongs, name, kitchen, each)) for name, each in folders.items()}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_what_it_says(name: str, runs: dict[str, Run]) -> None:
    wrong = runs[name].wrongs.result()
    assert not wrong, "\n\n".join(wrong)
    if version("matplotlib") == DRAWN_BY:
        assert [each for each in pictures_of(name) if other(each, runs[name].folder / each.name)] == []


def test_descriptions_in_pages_can_be_read() -> None:
    kinds = {"layers": NetworkSpec, "rule": Recipe, "engine": ChipSpec}
    for step in [step for name in NAMES for step in steps_of(REPOSITORY / name)]:
        if step.kind == "json":
            json.loads(step.code)
        elif step.kind == "toml":
            read = parse_toml(step.code)
            whole = [kind for key, kind in kinds.items() if key in read and "name" in read]
            for kind in whole:
                as_kind(read, kind)


def test_nothing_is_shortened_that_no_page_says() -> None:
    said = [step.code for name in NAMES for step in steps_of(REPOSITORY / name)]
    unused = [each for each in INSTEAD if not any(re.search(each.said, code, re.MULTILINE) for code in said)]
    assert unused == []
