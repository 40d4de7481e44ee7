"""Puts what a benchmark found below pytest-benchmark's table, and into a file to compare two runs by."""

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

_LINES = pytest.StashKey[list[str]]()
_FIGURES = pytest.StashKey[dict[str, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption(
        "--figures", type=Path, metavar="FILE", help="write the figures as JSON, for compare_figures.py"
    )


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Return a function that keeps a line for the end of the run."""
    return pytestconfig.stash.setdefault(_LINES, []).append


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> dict[str, float]:
    """Return the figures of this run by name, the unit in the name; benchmarks add theirs."""
    return pytestconfig.stash.setdefault(_FIGURES, {})


@pytest.fixture(scope="session")
def multiply_adds_per_s(figures: dict[str, float]) -> float:
    """Return the core's limit, measured once in a run."""
    from limit import multiply_adds_per_s

    figures["limit_multiply_adds_per_s"] = multiply_adds_per_s()
    return figures["limit_multiply_adds_per_s"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the lines that were kept, and the file."""
    for line in config.stash.get(_LINES, []):
        terminalreporter.write_line(line)
    path: Path | None = config.getoption("--figures")
    if path is not None:
        found = {
            "schema": "retronet/benchmarks/1",
            "machine": platform.machine(),
            "python": platform.python_version(),
            "figures": config.stash.get(_FIGURES, {}),
        }
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
