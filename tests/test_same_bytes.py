"""The same bytes from the code of every x86-64 processor: checkpoints, passes and reports.

What is compared is in ``support/same_bytes.py``. Each processor's code is compiled in a process of its own, with an
empty cache, and numpy is kept from the instructions that the processor would not have.
"""

import json
from pathlib import Path

import numba
import pytest
from support.interpreted import as_on, printed_by

PROCESSORS = {
    # Name: the instructions that it needs here.
    "x86-64-v2": (),
    "haswell": ("avx2", "fma"),
    "znver3": ("avx2", "fma", "vaes"),
    "skylake-avx512": ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"),
}


def instructions() -> set[str]:
    """Return the instruction sets of this processor, as Linux names them."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        pytest.skip("what this processor can do is read from /proc/cpuinfo, which is not here")
    for line in information.read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def digests(cache: Path, **environment: str) -> dict[str, object]:
    printed = printed_by("same_bytes", timeout=1200, NUMBA_CACHE_DIR=str(cache), **environment)
    found: dict[str, object] = json.loads(printed)
    return found


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what the code for this very processor leaves."""
    return digests(tmp_path_factory.mktemp("own"))


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="compares compiled code")
@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_code_of_every_processor_leaves_the_same_bytes(
    processor: str, own: dict[str, object], tmp_path: Path
) -> None:
    if missing := set(PROCESSORS[processor]) - instructions():
        pytest.skip(f"this processor can not run {processor}'s code: it lacks {', '.join(sorted(missing))}")
    found = digests(tmp_path, **as_on(processor))
    assert len(own) > 20
    assert {key for key in own if found.get(key) != own[key]} == set()
