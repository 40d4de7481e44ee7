"""Prints a digest of what the simulations compute, for comparing one processor's code with another's."""

import argparse
import hashlib

import numpy as np

from hw_sim.chips.analog.layers import AnalogLayer, run_analog
from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
from hw_sim.chips.graf54.features import features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import currents, graf_sizes, load_templates
from hw_sim.chips.load import load_chip
from hw_sim.fixed_point.decibels import decibels
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.scales import fit_scale, parse_rule
from retronet.connections import connection_table
from retronet.network import Conv, Dense, NetworkSpec, Relu, Tanh, sized_layers
from support.small_network import draw, plan_of
from support.trained_networks import trained_of

SMALL = NetworkSpec(
    "processors", "", (1, 6, 7),
    (Conv("a", 3, 3, Tanh(1.7159, 2 / 3), stride=2, pad=1, border=-1.0, bias="unit"), Dense("b", 4, Relu())),
)  # fmt: skip


def analog_layers() -> tuple[AnalogLayer, ...]:
    """Return layers with errors of their own: no weight, bias or reference is a whole number."""
    rng, layers = np.random.default_rng(5), []
    for sized in sized_layers(SMALL):
        maps, units = sized.output[0], sized.units
        weights = rng.uniform(-3, 3, (maps, max(sized.fan_in))).astype(np.float32)
        references = np.sort(rng.uniform(-5, 5, (units, 6)).astype(np.float32), axis=1)
        layers.append(
            AnalogLayer(
                sized, connection_table(sized), weights, rng.uniform(-1, 1, units).astype(np.float32),
                references, np.arange(-3, 4).astype(np.float32), -1.0, np.full(maps, 0.3, np.float32),
            )
        )  # fmt: skip
    return tuple(layers)


def digest() -> str:
    """Return the digest."""
    found = hashlib.sha256()
    parameters, images = draw(SMALL, 3, 140)
    for sums in (None, "s9.6:RND_CONV:SAT", "s20.12:RND:WRAP"):
        result = run_integers(quantize(trained_of(SMALL, parameters), plan_of(SMALL, "s8.6", sums)), images)
        found.update(result.outputs.tobytes() + repr(result.counts).encode())
    values = np.random.default_rng(4).normal(size=400)
    for rule in ("mse", "percentile:97", "power-of-two", "max-abs"):
        found.update(repr(fit_scale(parse_rule(rule), values, Fixed(4, 0))).encode())
    found.update(repr([decibels(1 + k / 7, k / 3) for k in range(50)]).encode())
    found.update(run_dsp(SMALL, dsp_layers(trained_of(SMALL, parameters)), images[:40]).tobytes())
    found.update(run_analog(analog_layers(), images.reshape(len(images), -1), (1, 2))[0].tobytes())
    sizes = graf_sizes(load_chip("graf54"))
    thinning, features = (load_templates(f"graf-{name}", sizes) for name in ("thinning", "features"))
    thin = thinned(frames_of(images[:2], 0.0), currents(thinning, 5.0))
    found.update(thin.frames.tobytes())
    found.update(np.asarray(features_of(thin.frames, features, currents(features, 5.0))).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    print(digest())  # noqa: T201
