"""What every test may use, and what a report of a test run begins with."""

import os
import platform
import signal
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_report_header() -> list[str]:
    """Return the versions and the processor that the tests ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "torch"))
    return [
        f"python {platform.python_version()}, {packages}",
        f"processor: {_processor()}, {os.cpu_count()} cores",
    ]


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests from the network; one that is about fetching takes this back."""
    monkeypatch.setenv("RETRONET_OFFLINE", "1")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let what a test starts mind SIGINT, which is ignored where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real digits: ``$RETRONET_DATA_DIR``, else ``../shared/data``."""
    folder = Path(os.environ.get("RETRONET_DATA_DIR") or REPOSITORY.parent / "shared" / "data")
    missing = [name for name in ("usps", "mnist") if not (folder / name).is_dir()]
    if missing:
        message = f"The real digits are not in {folder} ({', '.join(missing)}); set RETRONET_DATA_DIR."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
