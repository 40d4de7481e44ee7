"""The same bytes from the code of every processor: see ``processors.py`` for what is compared."""

from pathlib import Path

import numba
import pytest
from support.interpreted import printed_by

PROCESSORS = {
    "x86-64-v2, no fused multiply-add": {
        "NUMBA_CPU_NAME": "x86-64-v2",
        "NPY_DISABLE_CPU_FEATURES": "AVX2,FMA3",
    },
    "haswell": {"NUMBA_CPU_NAME": "haswell"},
}


def digest_on(environment: dict[str, str], cache: Path) -> str:
    return printed_by("processors", timeout=900, NUMBA_CACHE_DIR=str(cache), **environment)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="compares compiled code")
def test_simulations_are_the_same_on_every_processor(tmp_path: Path) -> None:
    own = digest_on({}, tmp_path / "own")
    assert len(own.strip()) == 64
    for name, environment in PROCESSORS.items():
        # Only what the named processor has: not what the one has on which this runs.
        found = digest_on({"NUMBA_CPU_FEATURES": "", **environment}, tmp_path / environment["NUMBA_CPU_NAME"])
        assert found == own, name
