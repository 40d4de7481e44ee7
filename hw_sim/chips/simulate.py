"""A trained network simulated on any chip whose arithmetic is known, and what the cost model says of it.

A chip's file names its arithmetic and states every size of it; nothing here knows a chip by name.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar, assert_never

import msgspec
from msgspec.structs import asdict, replace

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.anna import report as anna
from hw_sim.chips.anna.options import AnnaOptions, anna_options
from hw_sim.chips.anna.report import AnnaReport
from hw_sim.chips.cost.network_cost import CostReport, cost
from hw_sim.chips.dsp32c.report import DspOptions, DspReport, dsp_report
from hw_sim.chips.graf54.report import GrafOptions, GrafReport, run_graf
from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.net32k import report as net32k
from hw_sim.chips.net32k.options import Net32kOptions, net32k_options
from hw_sim.chips.net32k.precisions import Precisions, tabulate_precisions
from hw_sim.chips.net32k.report import Net32kReport
from hw_sim.chips.sizes import check_processor
from hw_sim.chips.spec import ARITHMETICS, ChipSpec
from retronet.datasets import DigitSets
from retronet.errors import ChoiceError, InputError
from retronet.network import NetworkSpec
from retronet.refusals import as_kind
from retronet.trained import Trained

ChipReport = AnnaReport | Net32kReport | Precisions | GrafReport | DspReport
Options = TypeVar("Options", bound=msgspec.Struct)

SET_BY_PRECISIONS = ("chips", "retraining", "seed", "accuracy", "law", "state_bits", "weights")
"""Options that a table of precisions sets itself, or has no use for."""


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How chips with errors of their own are drawn, and how the layers beside them learn again."""

    chips: Annotated[int, msgspec.Meta(ge=1)] = 20
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    retraining: HostRetraining | None = None


class GrafSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Graf's chips are drawn, and the network behind them is taught, from."""

    seed: Annotated[int, msgspec.Meta(ge=0)] = 0


class Tabulation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the bits of weights and states are tabulated, in place of drawing chips."""

    precisions: bool = False


def option_names(chip: ChipSpec) -> tuple[str, ...]:
    """Return the options that `simulate_on` takes for `chip`.

    Raises
    ------
    InputError
        If the chip states no arithmetic.
    """
    kinds: tuple[type[msgspec.Struct], ...]
    match chip.arithmetic:
        case "dsp32c":
            kinds = (DspOptions,)
        case "anna":
            kinds = (Drawing, AnnaOptions)
        case "net32k":
            kinds = (Drawing, Tabulation, Net32kOptions)
        case "graf":
            kinds = (GrafSeed, GrafOptions)
        case _:
            raise not_simulated(chip)
    return tuple(name for kind in kinds for name in kind.__struct_fields__)


def no_option(chip: ChipSpec, name: str, known: Iterable[str]) -> ChoiceError:
    """Return the refusal of an option that `chip` does not have; `known` are those that it has."""
    return ChoiceError(f"The chip '{chip.name}' has no option '{name}'. It has: {', '.join(known)}.")


def simulate_on(
    chip: ChipSpec, trained: Trained, digits: DigitSets, *, threads: int = 1, **options: object
) -> ChipReport:
    """Run a trained network on a simulated chip, in the arithmetic and with the sizes that its file states.

    Parameters
    ----------
    chip
        A chip with an ``arithmetic``.
    trained
        The network. Graf's chip has a network of its own behind it: nothing of `trained` is used there.
    digits
        Whatever is fitted or taught sees the training digits alone; scores are on the test set.
    threads
        Threads to share the work; they never change a result.
    options
        Those of the chip's arithmetic, by name (`option_names`); numbers may be text. ``chips`` and ``seed``
        say how many analog chips are drawn and from what, ``retraining`` how the layers beside them learn
        again (a mapping changes parts of it), and ``precisions`` that a NET32K tabulates the bits of its
        weights and states instead. The others are the fields of `hw_sim.chips.anna.options.AnnaOptions`,
        `hw_sim.chips.net32k.options.Net32kOptions`, `hw_sim.chips.graf54.report.GrafOptions` and
        `hw_sim.chips.dsp32c.report.DspOptions`; defaults follow the chip.

    Returns
    -------
    AnnaReport, Net32kReport, Precisions, GrafReport or DspReport
        See `cost_as_run` for what the cost model says of it.

    Raises
    ------
    InputError
        If the chip states no arithmetic, or a size that its arithmetic can not take; if there is no such
        option, or it can not have this value; if the network can not run on the chip.
    """
    known = option_names(chip)
    for name in options:
        if name not in known:
            raise no_option(chip, name, known)

    def typed(defaults: Options) -> Options:
        return changed_options(chip, defaults, options)

    match chip.arithmetic:
        case "dsp32c":
            check_processor(chip)
            return dsp_report(trained, digits.test, typed(DspOptions()), threads)
        case "anna":
            how, own = typed(Drawing(retraining=anna.HOST_RETRAINING)), typed(anna_options(chip))
            return anna.run_anna(
                chip, trained, digits, own,
                chips=how.chips, seed=how.seed, retraining=how.retraining, threads=threads,
            )  # fmt: skip
        case "net32k":
            how, layout = typed(Drawing(retraining=net32k.HOST_RETRAINING)), typed(net32k_options(chip))
            if typed(Tabulation()).precisions:
                _check_besides_precisions(options)
                return tabulate_precisions(chip, trained, digits, layout)
            return net32k.run_net32k(
                chip, trained, digits, layout,
                chips=how.chips, seed=how.seed, retraining=how.retraining, threads=threads,
            )  # fmt: skip
        case "graf":
            return run_graf(chip, digits, typed(GrafOptions()), typed(GrafSeed()).seed, threads)
        case _:
            raise not_simulated(chip)


def changed_options(chip: ChipSpec, defaults: Options, changes: Mapping[str, object]) -> Options:
    """Return `defaults` with those of the `changes` that are theirs; a mapping changes parts of an option."""
    kind = type(defaults)
    values = asdict(defaults)
    for name in kind.__struct_fields__:
        if name in changes:
            before, change = values[name], changes[name]
            if isinstance(before, msgspec.Struct) and isinstance(change, Mapping):
                change = asdict(before) | dict(change)
            values[name] = change
    try:
        return as_kind(values, kind, words=True)
    except InputError as error:
        raise ChoiceError(
            f"The options of the chip '{chip.name}' can not be changed so: {error}. Give another value."
        ) from error


def _check_besides_precisions(options: Iterable[str]) -> None:
    left = [name for name in SET_BY_PRECISIONS if name in options]
    if left:
        raise ChoiceError(
            f"'{left[0]}' does not go with 'precisions', which draws no chips and sets the bits itself. "
            "Leave one of them out."
        )


def not_simulated(chip: ChipSpec) -> ChoiceError:
    """Return the refusal of a chip that states no arithmetic."""
    named = [name for name in chip_names() if load_chip(name).arithmetic]
    return ChoiceError(
        f"The chip '{chip.name}' can not be simulated: its arithmetic is not implemented; that of "
        f"{', '.join(named)} is. Choose one of those, state an `arithmetic` in your chip's file, one of "
        f"{', '.join(ARITHMETICS)}, or see what it would cost with `retronet report --chip {chip.name}`."
    )


def cost_as_run(chip: ChipSpec, network: NetworkSpec, report: ChipReport) -> CostReport | None:
    """Model what `network` costs on `chip` with the layers and the bits that a simulation ran there.

    Layers beside the chip are charged to its companion, or left out where it has none.

    Returns
    -------
    CostReport or None
        None if no network ran on the chip, or several did: see `hw_sim.chips.cost.network_cost.cost`.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """
    match report:
        case DspReport():
            return cost(replace(chip, companion=None), network)
        case AnnaReport():
            return cost(*_divided(chip, network, len(report.layers)))
        case Net32kReport(options=options):
            return cost(
                *_divided(chip, network, len(report.layers)),
                weight_bits=len(options.cell_factors),
                state_bits=max(options.state_bits, options.input_bits),
            )
        case Precisions() | GrafReport():
            return None
        case _ as unreachable:
            assert_never(unreachable)


def _divided(chip: ChipSpec, network: NetworkSpec, first: int) -> tuple[ChipSpec, NetworkSpec]:
    """Return chip and network with the layers after the `first` ones beside the chip, as they were run."""
    if chip.companion is None:
        names = ", ".join(layer.name for layer in network.layers[:first])
        part = replace(network, name=f"{names} of {network.name}", layers=network.layers[:first])
        return chip, part
    beside = replace(chip.companion.last_layers, value=float(len(network.layers) - first))
    return replace(chip, companion=replace(chip.companion, last_layers=beside)), network
