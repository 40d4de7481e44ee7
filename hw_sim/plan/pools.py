"""The formats of what a pool has in place of weights and biases: constants, held exactly.

The taps of a max pool count 1, and nothing is added to the largest. Those of an average pool are 1 too, with
the step ``1 / size²`` where that is a power of two; elsewhere it is their scale. Sums are then exact, and the
quotient is rounded once, when the state is cast.
"""

from typing import Any

from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.levels import Format
from hw_sim.plan.plan import ONE
from retronet.network import AveragePool, Identity, Layer, MaxPool


def passes_states(layer: Layer) -> bool:
    """Return whether a layer makes states of those that it reads, so that they have the same format."""
    return isinstance(layer, MaxPool) and isinstance(layer.activation, Identity)


def pool_formats(layer: MaxPool | AveragePool, below: Format) -> dict[str, Any]:
    """Return weight, bias and scale of a pool as fields of a `LayerPlan`; `below` is the format it reads."""
    taps = layer.size**2 if isinstance(layer, AveragePool) else 1
    whole = taps & (taps - 1) == 0
    step = taps.bit_length() - 1 if whole else 0
    return {
        "weight": Fixed(1, step, False),
        "bias": Fixed(MAX_BITS, step + below.frac_bits),
        "weight_scale": ONE if whole else (1 / taps,),
    }
