"""Plans in a few words, such as ``bits=8`` or ``weights={-1,0,1} weight-scale=threshold/map states=s8.6``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats import Overflow, Rounding
from hw_sim.levels import parse_format
from hw_sim.plan import PrecisionPlan, calibrate
from hw_sim.plan_file import load_plan
from hw_sim.scales import parse_rule
from retronet.errors import InputError
from retronet.network import NetworkSpec

WORDS = {
    "bits": ("bits", int),
    "weight-bits": ("weight_bits", int),
    "state-bits": ("state_bits", int),
    "accumulator-bits": ("accumulator_bits", int),
    "accumulator-overflow": ("accumulator_overflow", lambda text: Overflow(text.upper())),
    "rounding": ("rounding", lambda text: Rounding(text.upper())),
    "weights": ("weight_format", parse_format),
    "states": ("state_format", parse_format),
    "weight-scale": ("weight_scale", parse_rule),
    "state-scale": ("state_scale", parse_rule),
}
"""What each word sets of `hw_sim.plan.calibrate`, and how its value is read."""


def plan_of(
    text: str,
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    images: NDArray[np.float32],
) -> PrecisionPlan:
    """Return the plan in the file `text`, if that ends in ``.toml``, or the one calibrated as its words say.

    Parameters
    ----------
    text
        A path, or words ``key=value`` with spaces between them.
    network, parameters, images
        As for :func:`hw_sim.plan.calibrate`.

    Raises
    ------
    InputError
        If the file can not be used, or a word is unknown or has a value that is not allowed.
    """
    if text.endswith(".toml"):
        return load_plan(Path(text), network)
    chosen: dict[str, Any] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if key not in WORDS or not equals:
            raise InputError(
                f"'{word}' is no word of a plan: {', '.join(WORDS)} are allowed, each with = and a value, "
                "such as bits=8. Write those, or name a TOML file."
            )
        name, read = WORDS[key]
        try:
            chosen[name] = read(value)  # type: ignore[operator]
        except ValueError as error:
            raise InputError(
                f"The word '{word}' of a plan has no value that can be read ({error})."
            ) from error
    return calibrate(network, parameters, images, **chosen)
