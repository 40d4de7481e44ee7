"""The hardware: number formats, low-precision arithmetic bit for bit, and what it costs.

The verbs can be imported from here, and are loaded when they are first asked for. A trained network (see
`retronet.Trained`) and digits go in:

``calibrate``, ``load_plan``, ``plan_toml``
    Which format where: chosen by three rules, read from a file, written to one.
``quantize``, ``simulate``, ``trace``
    The network on integers; its errors beside floating point; every integer that it makes of some digits.
``sweep``, ``allocate``, ``compare``, ``retrain``
    Many simulations: a grid of formats, bits a layer, two plans side by side, training within formats.
``load_chip``, ``cost``, ``simulate_on``, ``answer_on``
    A chip of the period, what a network would cost on it, and the network in its arithmetic: scored on a
    test set, or as a function from digits to outputs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hw_sim.chips.answer import answer_on
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.load import load_chip
    from hw_sim.chips.simulate import simulate_on
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import simulate
    from hw_sim.fixed_point.trace import trace
    from hw_sim.plan.calibrate import calibrate
    from hw_sim.plan.plan_file import load_plan, plan_toml
    from hw_sim.studies.allocate import allocate
    from hw_sim.studies.compare import compare
    from hw_sim.studies.retrain import retrain
    from hw_sim.studies.sweep import sweep

_HOMES = {
    "allocate": ("studies.allocate", "allocate"),
    "answer_on": ("chips.answer", "answer_on"),
    "calibrate": ("plan.calibrate", "calibrate"),
    "compare": ("studies.compare", "compare"),
    "cost": ("chips.cost.network_cost", "cost"),
    "load_chip": ("chips.load", "load_chip"),
    "load_plan": ("plan.plan_file", "load_plan"),
    "plan_toml": ("plan.plan_file", "plan_toml"),
    "quantize": ("fixed_point.quantize", "quantize"),
    "retrain": ("studies.retrain", "retrain"),
    "simulate": ("fixed_point.simulate", "simulate"),
    "simulate_on": ("chips.simulate", "simulate_on"),
    "sweep": ("studies.sweep", "sweep"),
    "trace": ("fixed_point.trace", "trace"),
}
__all__ = [
    "allocate",
    "answer_on",
    "calibrate",
    "compare",
    "cost",
    "load_chip",
    "load_plan",
    "plan_toml",
    "quantize",
    "retrain",
    "simulate",
    "simulate_on",
    "sweep",
    "trace",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name not in _HOMES:
        raise AttributeError(f"module 'hw_sim' has no attribute '{name}'")
    module, function = _HOMES[name]
    return getattr(import_module(f"hw_sim.{module}"), function)


def __dir__() -> list[str]:
    return list(__all__)
