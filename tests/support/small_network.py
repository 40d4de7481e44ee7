"""A small network with every geometry the kernels know, its parameters and images, and plans for it."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import parse_format
from hw_sim.plan.activations import Table
from hw_sim.plan.plan import Accumulator, LayerPlan, PrecisionPlan
from hw_sim.plan.pools import pool_formats
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    Identity,
    MaxPool,
    NetworkSpec,
    Relu,
    Subsample,
    Tanh,
    parameter_shapes,
    sized_layers,
)

if TYPE_CHECKING:
    from hw_sim.fixed_point.quantize import IntegerNetwork

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


def draw(network: NetworkSpec, seed: int, images: int) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    """Return random parameters (some of them 0) and images in ±1."""
    generator = np.random.default_rng(seed)
    parameters = {}
    for name, shape in parameter_shapes(network).items():
        values = generator.uniform(-1, 1, shape)
        parameters[name] = np.where(generator.random(shape) < 0.1, 0, values).astype(np.float32)
    pixels = generator.uniform(-1, 1, (images, *network.input[1:])).astype(np.float32)
    return parameters, pixels


def plan_of(
    network: NetworkSpec,
    values: str,
    sums: str | None = None,
    *,
    fused: bool = False,
    bias: str = "s20.10",
    tap_order: Any = "plane_fastest",
) -> PrecisionPlan:
    """Return a plan with one format for inputs, weights and states, one for sums."""
    form = Fixed.parse(values)
    accumulator = None if sums is None else Accumulator(Fixed.parse(sums), fused)
    layers = tuple(
        LayerPlan(layer.name, form, Fixed.parse(bias), form, layer.activation, accumulator)
        for layer in network.layers
    )
    layers = pools_put_right(network, layers, form)
    return PrecisionPlan(form, tuple(layers), tap_order)


def pools_put_right(network: NetworkSpec, layers: tuple[LayerPlan, ...], below: Any) -> tuple[LayerPlan, ...]:
    """Return the plans of layers with those of pools made such as a pool can have."""
    kept = []
    for layer, formats in zip(network.layers, layers, strict=False):
        if isinstance(layer, MaxPool | AveragePool):
            fields = pool_formats(layer, below) | {"weight_divisor": None}
            if isinstance(layer, MaxPool):
                fields["accumulator"] = None
            formats = replace(formats, **fields)
        kept.append(formats)
        below = formats.state
    return tuple(kept)


def check(
    network: NetworkSpec, parameters: dict[str, NDArray[Any]], images: NDArray[Any], plan: PrecisionPlan
) -> "IntegerNetwork":
    """Compare every integer and every count of `images` with the reference; return the integer network."""
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers
    from hw_sim.fixed_point.trace import trace_integers
    from support import reference_integer
    from support.trained_networks import trained_of

    integers = quantize(trained_of(network, parameters), plan)
    traced, counted = trace_integers(integers, images), run_integers(integers, images)
    sized_layers_of_network = sized_layers(network)[: len(plan.layers)]
    totals: list[dict[str, int]] = [{} for _ in sized_layers_of_network]
    for image in range(len(images)):
        expected = reference_integer.run_network(sized_layers_of_network, plan, parameters, images[image])
        for layer, (stages, counts), total in zip(traced.layers, expected, totals, strict=True):
            bits = {
                "sums": layer.sum_frac_bits,
                "after_bias": layer.after_bias_frac_bits,
                "preactivations": layer.preactivation_frac_bits,
                "states": 0,
            }
            for stage, values in stages.items():
                integers_of_stage = getattr(layer, stage)[image]
                for unit, value in values.items():
                    exact = value * 2 ** bits[stage] if bits[stage] >= 0 else value / 2 ** -bits[stage]
                    assert int(integers_of_stage[unit]) == exact, (layer.layer, stage, unit)
            for name, count in counts.items():
                total[name] = total.get(name, 0) + count
    for sized, counts, total in zip(sized_layers_of_network, counted.counts, totals, strict=True):
        assert {name: getattr(counts, name) for name in total} == total
        assert counts.macs == sized.macs * len(images)
        assert counts.border_macs == sized.border_macs * len(images)
        assert counts.weight_reads == sized.connections * len(images)
        read = sized.macs - sized.border_macs
        if not sized.trained:
            read = sized.comparisons + sized.additions + sized.units
        assert counts.state_reads == read * len(images)
        assert counts.state_writes == sized.units * len(images)
    assert np.array_equal(counted.outputs, traced.outputs)
    if integers.codes is None:
        last = traced.layers[-1]
        assert np.array_equal(counted.outputs, last.values.reshape(len(images), -1))
    return integers


def plans_of_all_kinds(network: NetworkSpec) -> list[PrecisionPlan]:
    """Return plans that together take every way through the kernels."""
    sums = ("s9.6:RND_CONV:WRAP", "s12.12:TRN:SAT", "s7.5:RND_INF:SAT_ZERO", "s32.20:RND:SAT")
    plans = [plan_of(network, "s8.6", text) for text in (None, *sums)]
    plans += [plan_of(network, "s8.6", text, fused=True) for text in ("s9.6:RND_ZERO:SAT", "s24.12:RND:WRAP")]

    def changed(**fields: Any) -> PrecisionPlan:
        base = plan_of(network, "s8.6")
        layers = tuple(replace(layer, **fields) for layer in base.layers)
        return replace(base, layers=pools_put_right(network, layers, base.input))

    split = Accumulator(Fixed.parse("s9.6:RND:SAT"), product=Fixed.parse("s8.7:TRN:WRAP"))
    plans.append(changed(accumulator=split, bias_at="end", preactivation=Fixed(9, 5), activation=Table()))
    plans.append(changed(weight=parse_format("{-5,0,1}"), state=parse_format("p2.0"), weight_scale=(0.3,)))
    scaled = changed(preactivation=Fixed(8, 0), preactivation_scale=0.03, requantise="double")
    plans += [scaled, replace(plan_of(network, "s4.2"), input=parse_format("{-1,1}"), input_scale=0.7)]
    return plans


if __name__ == "__main__":
    import argparse

    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.simulate import run_integers
    from hw_sim.fixed_point.trace import trace_integers
    from support.trained_networks import trained_of

    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    tiny = NetworkSpec(
        name="tiny",
        title="",
        input=(1, 4, 4),
        layers=(
            Conv("a", 2, 3, Tanh(), pad=1, border=-1.0, bias="unit"),
            Subsample("s", 2, Tanh()),
            Dense("b", 2, Relu()),
        ),
    )
    parameters, images = draw(tiny, 3, 2)
    digest = hashlib.sha256()
    for plan in plans_of_all_kinds(tiny):
        network = quantize(trained_of(tiny, parameters), plan)
        found = trace_integers(network, images)
        for layer in found.layers:
            digest.update(layer.sums.tobytes() + layer.preactivations.tobytes() + layer.states.tobytes())
        digest.update(repr(run_integers(network, images).counts).encode())
    print(digest.hexdigest())  # noqa: T201
