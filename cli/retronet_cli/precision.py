"""What commands that put a network on integers have in common: the options that say with which formats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from retronet.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw_sim.formats.scales import ScaleRule
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.network import NetworkSpec

ROUNDINGS = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV", "STOCHASTIC")
Command = Callable[..., Any]


class Bits(click.IntRange):
    """A number of bits, the sign counted."""

    def __init__(self) -> None:
        super().__init__(2, 32)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the number in `value`."""
        if str(value).strip() == "0":
            self.fail("0 bits can not be used and do not stand for 'exact'; 2 to 32 are allowed.", param, ctx)
        return super().convert(value, param, ctx)


class Choices(msgspec.Struct, frozen=True):
    """The options, as they were given; absent ones are ``None``."""

    bits: int | None
    weight_bits: int | None
    state_bits: int | None
    weight_format: str | None
    state_format: str | None
    scale: str | None
    state_scale: str | None
    rounding: str | None
    accumulator: str | None
    accumulator_bits: int | None
    accumulator_overflow: str | None
    plan: Path | None


OPTIONS = (
    click.option("--bits", type=Bits(), help="Bits of weights, input and states.  [default: 8]"),
    click.option("--weight-bits", type=Bits(), help="Bits of the weights, if other than --bits."),
    click.option("--state-bits", type=Bits(), help="Bits of input and states, if other than --bits."),
    click.option(
        "--weight-format",
        metavar="FORMAT",
        help="A format for all weights, such as p3.0 or, in quotes, {-1,0,1}.",
    ),
    click.option("--state-format", metavar="FORMAT", help="A format for input and all states."),
    click.option(
        "--scale",
        metavar="RULE",
        help="How scales are chosen: power-of-two, max-abs, percentile:P, mse or, of {-1,0,1}, threshold:T; "
        "/map after it gives each map of weights its own.  [default: power-of-two]",
    ),
    click.option(
        "--state-scale",
        metavar="RULE",
        help="The rule of input and states, if other than that of the weights.",
    ),
    click.option(
        "--rounding",
        type=click.Choice(ROUNDINGS, case_sensitive=False),
        help="Rounding mode; STOCHASTIC is for weights and biases alone.  [default: RND]",
    ),
    click.option(
        "--accumulator",
        metavar="FORMAT",
        help="The format that sums are cast to after every MAC, such as s18.10:TRN:WRAP.",
    ),
    click.option("--accumulator-bits", type=Bits(), help="Bits of the sums.  [default: exact sums]"),
    click.option(
        "--accumulator-overflow",
        type=click.Choice(["wrap", "sat"], case_sensitive=False),
        help="What a sum does that leaves --accumulator-bits.  [default: wrap]",
    ),
    click.option(
        "--plan",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="A TOML file with every format, instead of the options above.",
    ),
)


def precision_options(command: Command) -> Command:
    """Give `command` the options of `Choices`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def chosen_plan(
    choices: Choices,
    network: "NetworkSpec",
    parameters: "Mapping[str, NDArray[Any]]",
    images: "NDArray[np.float32]",
) -> "PrecisionPlan":
    """Return the plan that the options ask for.

    Raises
    ------
    InputError
        If options contradict each other or do not suit the network.
    """
    from hw_sim.formats.fixed import Fixed, Overflow, Rounding
    from hw_sim.formats.levels import parse_format
    from hw_sim.plan.plan import Accumulator, calibrate
    from hw_sim.plan.plan_file import load_plan

    given = [name for name, value in msgspec.structs.asdict(choices).items() if value is not None]
    if choices.plan is not None:
        if given != ["plan"]:
            other = given[0].replace("_", "-")
            raise InputError(
                f"--plan states every format, and --{other} was given as well. Leave one of them out."
            )
        return load_plan(choices.plan, network)
    for one, two in (
        ("accumulator", "accumulator_bits"),
        ("weight_format", "weight_bits"),
        ("state_format", "state_bits"),
    ):
        if one in given and two in given:
            raise InputError(
                f"--{one.replace('_', '-')} and --{two.replace('_', '-')} say the same thing twice. Leave "
                "one of them out."
            )
    scales = _rules(choices)
    return calibrate(
        network,
        parameters,
        images,
        8 if choices.bits is None else choices.bits,
        weight_bits=choices.weight_bits,
        state_bits=choices.state_bits,
        weight_format=parse_format(choices.weight_format) if choices.weight_format else None,
        state_format=parse_format(choices.state_format) if choices.state_format else None,
        weight_scale=scales[0],
        state_scale=scales[1],
        rounding=Rounding(choices.rounding.upper()) if choices.rounding else Rounding.RND,
        accumulator=Accumulator(Fixed.parse(choices.accumulator)) if choices.accumulator else None,
        accumulator_bits=choices.accumulator_bits,
        accumulator_overflow=Overflow[(choices.accumulator_overflow or "wrap").upper()],
    )


def _rules(choices: Choices) -> "tuple[ScaleRule, ScaleRule]":
    """Return the rules of weights and states; states have powers of two where weights have three levels."""
    from hw_sim.formats.scales import ScaleRule, parse_rule

    usual = "mse" if choices.weight_format else "power-of-two"
    weights = parse_rule(choices.scale or usual)
    if choices.state_scale:
        return weights, parse_rule(choices.state_scale)
    shared = choices.scale and weights.kind != "threshold"
    return weights, ScaleRule(weights.kind, weights.value) if shared else ScaleRule()
