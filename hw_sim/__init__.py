"""The hardware: number formats, low-precision arithmetic bit for bit, and what it costs.

What most users need can be imported from here, and is loaded when it is first asked for: ``calibrate`` or
``load_plan`` for a plan, ``integer_network`` to put a trained network on integers, ``trace`` for every
integer it makes of some images, ``report`` for its errors next to floating point. The module
`hw_sim.simulate` has the function of that name.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hw_sim.plan import calibrate
    from hw_sim.plan_file import load_plan, plan_toml
    from hw_sim.quantize import integer_network
    from hw_sim.simulate import report
    from hw_sim.tracing import trace

__all__ = ["calibrate", "integer_network", "load_plan", "plan_toml", "report", "trace"]

_HOMES = {
    "calibrate": "plan",
    "integer_network": "quantize",
    "load_plan": "plan_file",
    "plan_toml": "plan_file",
    "report": "simulate",
    "trace": "tracing",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name not in _HOMES:
        raise AttributeError(f"module 'hw_sim' has no attribute '{name}'")
    return getattr(import_module(f"hw_sim.{_HOMES[name]}"), name)
