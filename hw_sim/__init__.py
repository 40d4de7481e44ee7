"""The hardware: number formats, low-precision arithmetic bit for bit, and what it costs.

What most users need can be imported from here, and is loaded when it is first asked for: ``calibrate`` or
``load_plan`` for a plan, ``integer_network`` to put a trained network on integers, ``trace`` for every
integer it makes of some images, ``report`` for its errors next to floating point. The module
`hw_sim.fixed_point.simulate` has the function of that name.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hw_sim.fixed_point.quantize import integer_network
    from hw_sim.fixed_point.simulate import report
    from hw_sim.fixed_point.trace import trace
    from hw_sim.plan.plan import calibrate
    from hw_sim.plan.plan_file import load_plan, plan_toml

__all__ = ["calibrate", "integer_network", "load_plan", "plan_toml", "report", "trace"]

_HOMES = {
    "calibrate": "plan.plan",
    "integer_network": "fixed_point.quantize",
    "load_plan": "plan.plan_file",
    "plan_toml": "plan.plan_file",
    "report": "fixed_point.simulate",
    "trace": "fixed_point.trace",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name not in _HOMES:
        raise AttributeError(f"module 'hw_sim' has no attribute '{name}'")
    return getattr(import_module(f"hw_sim.{_HOMES[name]}"), name)
