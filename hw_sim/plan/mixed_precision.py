"""Plans with bits of their own for each tensor, put together from plans of one number of bits."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from hw_sim.plan.plan import LayerPlan, PrecisionPlan
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
    first = plans[state_bits[INPUT]]
    below = first.input
    layers: list[LayerPlan] = []
    for index, layer in enumerate(first.layers):
        weights = plans[weight_bits[layer.layer]].layers[index]
        states = plans[state_bits[layer.layer]].layers[index]
        layers.append(
            replace(
                layer,
                weight=weights.weight,
                weight_scale=weights.weight_scale,
                weight_divisor=weights.weight_divisor,
                bias=replace(layer.bias, frac_bits=weights.weight.frac_bits + below.frac_bits),
                state=states.state,
                state_scale=states.state_scale,
            )
        )
        below = states.state
    return replace(first, layers=tuple(layers))
