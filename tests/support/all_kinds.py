"""A network of tanh layers of every kind, and plans for it that differ from plain ones in a field or two."""

from typing import Any

from msgspec.structs import replace

from hw_sim.plan.plan import PrecisionPlan
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh
from support.small_network import check, draw

LECUN = Tanh(1.7159, 2 / 3)
NETWORK = NetworkSpec(
    name="all-kinds",
    title="",
    input=(1, 6, 8),
    layers=(
        Conv("a", 3, 3, LECUN, pad=1, border=-1.0, bias="unit"),
        Subsample("s", 2, LECUN),
        Conv("b", 5, 2, LECUN, sees=((0, 1, 2), (0,), (1, 2), (0, 2), (0, 1, 2))),
        Dense("d", 6, LECUN),
    ),
)
CODES = (("#.#", "##."), ("...", "..."), ("#..", ".##"))
"""Codes of six units for an RBF layer above it."""


def changed(plan: PrecisionPlan, **fields: Any) -> PrecisionPlan:
    """Return `plan` with these fields in every layer."""
    return replace(plan, layers=tuple(replace(layer, **fields) for layer in plan.layers))


def checked(plan: PrecisionPlan, seed: int = 1, images: int = 2, network: NetworkSpec = NETWORK) -> Any:
    """Compare every integer of the network under `plan` with the reference; return the integer network."""
    parameters, pixels = draw(network, seed, images)
    return check(network, parameters, pixels, plan)
