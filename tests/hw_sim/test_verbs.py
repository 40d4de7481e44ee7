"""What `import hw_sim` offers: every verb, found by Tab, loaded when asked for, never hidden by a module."""

import pkgutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

import hw_sim

HERE = {"simulate_on": "hw_sim.chips.simulate"}
"""Verbs whose module an installation may lack."""


def test_dir_lists_the_verbs() -> None:
    assert dir(hw_sim) == sorted(hw_sim.__all__)
    assert set(hw_sim.__all__) >= {
        "allocate", "calibrate", "compare", "cost", "load_chip", "load_plan", "plan_toml", "quantize",
        "retrain", "simulate", "simulate_on", "sweep", "trace",
    }  # fmt: skip


def test_no_verb_has_the_name_of_a_room() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(hw_sim.__path__)}
    assert not rooms & set(hw_sim.__all__)


def test_verbs_stay_functions_once_every_module_is_loaded() -> None:
    code = f"""
import importlib, pkgutil, hw_sim
for module in pkgutil.walk_packages(hw_sim.__path__, "hw_sim."):
    importlib.import_module(module.name)
absent = {[name for name, module in HERE.items() if find_spec(module) is None]!r}
for name in hw_sim.__all__:
    if name not in absent:
        verb = getattr(hw_sim, name)
        assert callable(verb) and verb.__doc__, name
print("all")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "all\n"


def test_the_package_alone_loads_no_arrays() -> None:
    code = "import sys, hw_sim; dir(hw_sim); print({'numpy', 'numba', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_what_is_no_verb_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'report'"):
        _ = hw_sim.report
