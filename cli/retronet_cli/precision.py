"""What commands that put a network on integers have in common: the options that say with which formats."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hw_sim.formats.modes import Overflow, Rounding
from retronet.errors import ChoiceError, InputError
from retronet_cli.options import Decorator, as_record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw_sim.plan.plan import PrecisionPlan
    from hw_sim.plan.rules import SumRule, TensorRule
    from retronet.datasets import Dataset
    from retronet.trained import Trained


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

    bits: int | None = None
    weight_bits: int | None = None
    state_bits: int | None = None
    weight_format: str | None = None
    state_format: str | None = None
    scale: str | None = None
    state_scale: str | None = None
    rounding: Rounding | None = None
    accumulator: str | None = None
    accumulator_bits: int | None = None
    accumulator_overflow: Overflow | None = None
    plan: Path | None = None

    @property
    def given(self) -> list[str]:
        """The names of the options that were given, as they are typed."""
        fields = msgspec.structs.asdict(self)
        return [name.replace("_", "-") for name, value in fields.items() if value is not None]

    @property
    def exact_sums(self) -> bool:
        """Whether no option asks for sums that are cast."""
        return not {"accumulator", "accumulator-bits", "plan"}.intersection(self.given)


EXCLUSIVE = (
    ("accumulator", "accumulator-bits"),
    ("weight-format", "weight-bits"),
    ("state-format", "state-bits"),
)
"""Options that say the same thing."""

OPTIONS = (
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
        type=click.Choice(Rounding, case_sensitive=False),
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
        callback=lambda _context, _option, value: value and Overflow(value.upper()),
        help="What a sum does that leaves --accumulator-bits.  [default: wrap]",
    ),
    click.option(
        "--plan",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="A TOML file with every format, instead of the options above.",
    ),
)


def precision_options_for(default: str) -> Decorator:
    """Return what gives a command the options, as one argument `choices`; `default` is said of --bits."""
    bits = click.option(
        "--bits",
        type=Bits(),
        help="Bits of weights, input and states; above 18 only where states are no tanh.  "
        f"[default: {default}]",
    )
    return as_record(Choices, "choices", (bits, *OPTIONS))


precision_options = precision_options_for("8, or a retrained run's own plan")
"""The options of commands that always put the network on integers."""

float_or_precision_options = precision_options_for("floating point, or a retrained run's own plan")
"""The options of commands that do so if they are given."""


def plan_for(
    choices: Choices, run: Path, trained: "Trained", digits: "Dataset | NDArray[np.float32]", quiet: bool
) -> "tuple[PrecisionPlan, bool]":
    """Return the plan that the options ask for or, without any, the one that the run was retrained under.

    Parameters
    ----------
    choices
        The options.
    run, trained
        The folder of a run and its network.
    digits
        Training digits, or their images, to calibrate on.
    quiet
        Whether to keep from saying which of the two it is, for a retrained run.

    Returns
    -------
    PrecisionPlan, bool
        The plan, and whether it is the run's own.

    Raises
    ------
    InputError
        If options contradict each other or do not suit the network, or the run's plan is damaged.
    """
    from hw_sim.studies.retrained_run import plan_of
    from retronet.runs.configuration import ByRetraining
    from retronet.runs.run import open_run
    from retronet_cli.terminal import talk, working

    opened = open_run(run)
    retrained = isinstance(opened.configuration.made, ByRetraining)
    if retrained and not choices.given:
        own = plan_of(opened)
        assert own is not None
        if not quiet:
            talk(f"The run was retrained: it runs under its own plan, {run / 'plan.toml'}.")
        return own, True
    if retrained and not quiet:
        talk(
            "The run was retrained under a plan of its own, and the formats asked for take its place. "
            "Without options for formats it runs under its own."
        )
    with working("choosing formats", enabled=not quiet):
        return chosen_plan(choices, trained, digits), False


def chosen_plan(
    choices: Choices, trained: "Trained", digits: "Dataset | NDArray[np.float32]"
) -> "PrecisionPlan":
    """Return the plan that the options ask for, calibrated on training `digits`.

    Raises
    ------
    InputError
        If options contradict each other or do not suit the network.
    """
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.step_function import STATE_BITS
    from hw_sim.plan.calibrate import calibrate
    from hw_sim.plan.plan_file import load_plan

    given = choices.given
    if choices.plan is not None:
        if given != ["plan"]:
            raise ChoiceError(
                f"--plan states every format, and --{given[0]} was given as well. Leave one of them out."
            )
        return load_plan(choices.plan, trained.network)
    for one, two in EXCLUSIVE:
        if one in given and two in given:
            raise ChoiceError(f"--{one} and --{two} say the same thing twice. Leave one of them out.")
    try:
        weights, states, sums = rules_of(choices)
    except InputError as error:  # of the options' own words, nothing else has been read
        raise ChoiceError(str(error)) from error
    bits = 8 if choices.bits is None else choices.bits
    plan = calibrate(trained, digits, bits, weights=weights, states=states, sums=sums)
    if max(bits, choices.weight_bits or 0, choices.state_bits or 0) > STATE_BITS:
        try:  # a ReLU's states have up to 32 bits, a tanh's do not, and products of both may not fit 64
            quantize(trained, plan)
        except InputError as error:
            raise ChoiceError(str(error)) from error
    return plan


def rules_of(choices: Choices) -> "tuple[TensorRule, TensorRule, SumRule]":
    """Return the rules of weights, states and sums that the options stand for.

    States have powers of two where weights have three levels, and the mode of the weights unless that is
    stochastic; it is the mode of sums too.

    Raises
    ------
    InputError
        If a format or a rule of a scale can not be read.
    """
    from hw_sim.formats.fixed import Fixed
    from hw_sim.formats.levels import parse_format
    from hw_sim.formats.scales import ScaleRule, parse_rule
    from hw_sim.plan.rules import SumRule, TensorRule

    scale = parse_rule(choices.scale or ("mse" if choices.weight_format else "power-of-two"))
    shared = (
        ScaleRule(scale.kind, scale.value) if choices.scale and scale.kind != "threshold" else ScaleRule()
    )
    state_scale = parse_rule(choices.state_scale) if choices.state_scale else shared
    weight_form = parse_format(choices.weight_format) if choices.weight_format else None
    state_form = parse_format(choices.state_format) if choices.state_format else None
    computed = choices.rounding and choices.rounding.computed
    weights = TensorRule(choices.weight_bits, weight_form, scale, choices.rounding)
    states = TensorRule(choices.state_bits, state_form, state_scale, None if state_form else computed)
    if choices.accumulator:
        return weights, states, SumRule(form=Fixed.parse(choices.accumulator))
    if choices.accumulator_bits is None:
        return weights, states, SumRule()
    sums = SumRule(choices.accumulator_bits, rounding=computed, overflow=choices.accumulator_overflow)
    return weights, states, sums


def write_plan(path: Path | None, plan: "PrecisionPlan") -> None:
    """Write `plan` where --plan-out says, if it says, as a file that --plan takes."""
    from hw_sim.plan.plan_file import plan_toml
    from retronet.runs.checkpoint import write_atomically
    from retronet_cli.terminal import remark

    if path is not None:
        write_atomically(path, plan_toml(plan).encode())
        remark(f"Wrote the plan to {path}.")
