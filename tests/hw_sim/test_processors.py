"""Integers and simulated chips are the same from every processor's code: see ``support/processors.py``."""

from pathlib import Path

import numba
import pytest
from support.interpreted import as_on, printed_by


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="compares compiled code")
def test_simulations_are_the_same_on_every_processor(tmp_path: Path) -> None:
    own = printed_by("processors", timeout=900, NUMBA_CACHE_DIR=str(tmp_path / "own"))
    assert len(own.strip()) == 64
    for name in ("x86-64-v2", "haswell"):
        found = printed_by("processors", timeout=900, NUMBA_CACHE_DIR=str(tmp_path / name), **as_on(name))
        assert found == own, name
