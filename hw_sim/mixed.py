"""Plans with bits of their own for each tensor, put together from plans of one number of bits."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from hw_sim.plan import LayerPlan, PrecisionPlan
from retronet.curvature import INPUT


def mixed_plan(
    calibrated: Callable[[int], PrecisionPlan],
    weight_bits: Mapping[str, int],
    state_bits: Mapping[str, int],
) -> PrecisionPlan:
    """Return a plan in which each layer's weights and states have bits of their own, and sums are exact.

    Parameters
    ----------
    calibrated
        Gives the plan with that many bits for all tensors and exact sums; asked once for each number.
    weight_bits
        Bits of the weights, by layer.
    state_bits
        Bits of the states, by layer, and of the pixels under the name ``input``.
    """
    plans = {bits: calibrated(bits) for bits in {*weight_bits.values(), *state_bits.values()}}
    first = below = plans[state_bits[INPUT]].input
    layers: list[LayerPlan] = []
    for index, layer in enumerate(next(iter(plans.values())).layers):
        weight = plans[weight_bits[layer.layer]].layers[index].weight
        state = plans[state_bits[layer.layer]].layers[index].state
        bias = replace(layer.bias, frac_bits=weight.frac_bits + below.frac_bits)
        layers.append(replace(layer, weight=weight, bias=bias, state=state))
        below = state
    return PrecisionPlan(first, tuple(layers))
