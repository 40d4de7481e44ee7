"""A small network with every geometry the kernels know, its parameters and images, and plans for it."""

import hashlib

import numpy as np

from hw_sim.formats import Fixed
from hw_sim.plan import Accumulator, LayerPlan, PrecisionPlan
from retronet.network import Conv, Dense, Identity, NetworkSpec, Relu, Tanh, parameter_shapes

NETWORK = NetworkSpec(
    name="small",
    title="",
    input=(1, 6, 7),
    layers=(
        Conv("a", 3, 3, Tanh(1.7159, 2 / 3), stride=2, pad=1, border=-1.0, bias="unit"),
        Conv("b", 2, 2, Relu(), pad=1, border=0.5, sees=((0, 2), (1,))),
        Dense("c", 5, Identity()),
        Dense("d", 4, Tanh()),
    ),
)


def draw(network, seed, images):
    """Return random parameters (some of them 0) and images in ±1."""
    generator = np.random.default_rng(seed)
    parameters = {}
    for name, shape in parameter_shapes(network).items():
        values = generator.uniform(-1, 1, shape)
        parameters[name] = np.where(generator.random(shape) < 0.1, 0, values).astype(np.float32)
    pixels = generator.uniform(-1, 1, (images, *network.input[1:])).astype(np.float32)
    return parameters, pixels


def plan_of(network, values, sums=None, *, fused=False, bias="s20.10", tap_order="plane_fastest"):
    """Return a plan with one format for inputs, weights and states, one for sums."""
    form = Fixed.parse(values)
    accumulator = None if sums is None else Accumulator(Fixed.parse(sums), fused)
    layers = (
        LayerPlan(layer.name, form, Fixed.parse(bias), form, layer.activation, accumulator) for layer in network.layers
    )
    return PrecisionPlan(form, tuple(layers), tap_order)


if __name__ == "__main__":
    from hw_sim.quantize import integer_network
    from hw_sim.simulate import simulate, trace

    parameters, images = draw(NETWORK, 3, 2)
    digest = hashlib.sha256()
    for sums in (None, "s9.6:RND_CONV:WRAP", "s12.12:TRN:SAT", "s7.5:RND_INF:SAT_ZERO", "s32.20:RND:SAT"):
        network = integer_network(NETWORK, parameters, plan_of(NETWORK, "s8.6", sums))
        found = trace(network, images)
        for array in (found.inputs, *(layer.sums for layer in found.layers), *(layer.states for layer in found.layers)):
            digest.update(array.tobytes())
        digest.update(repr(simulate(network, images).counts).encode())
    print(digest.hexdigest())  # noqa: T201
