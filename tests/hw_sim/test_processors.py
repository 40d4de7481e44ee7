"""Integers and simulated chips are the same from every processor's code: see ``support/processors.py``."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import pytest
from support.interpreted import as_on, printed_by


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="compares compiled code")
def test_simulations_are_the_same_on_every_processor(tmp_path: Path) -> None:
    settings: dict[str, dict[str, str]] = {"own": {}} | {
        name: as_on(name) for name in ("x86-64-v2", "haswell")
    }

    def printed(name: str) -> str:
        return printed_by("processors", timeout=900, NUMBA_CACHE_DIR=str(tmp_path / name), **settings[name])

    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(settings))) as pool:
        found = dict(zip(settings, pool.map(printed, settings), strict=True))
    assert len(found["own"].strip()) == 64
    for name in settings:
        assert found[name] == found["own"], name
