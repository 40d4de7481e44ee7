"""The modes' names and numbers."""

import subprocess
import sys

import pytest

from hw_sim.formats.modes import DETERMINISTIC, Overflow, Rounding
from hw_sim.kernels import cast


@pytest.mark.parametrize("mode", DETERMINISTIC)
def test_a_rounding_mode_has_its_number_in_the_kernels(mode: Rounding) -> None:
    assert getattr(cast, mode.value) == mode.code


@pytest.mark.parametrize("mode", Overflow)
def test_an_overflow_mode_has_its_number_in_the_kernels(mode: Overflow) -> None:
    assert getattr(cast, mode.value) == mode.code


def test_only_stochastic_rounding_is_another_one_for_what_is_computed() -> None:
    assert {mode: mode.computed for mode in Rounding} == {mode: mode for mode in DETERMINISTIC} | {
        Rounding.STOCHASTIC: Rounding.RND
    }


def test_naming_a_mode_loads_no_arrays() -> None:
    code = "import sys, hw_sim.formats.modes; print({'numpy', 'numba', 'msgspec'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "set()"
