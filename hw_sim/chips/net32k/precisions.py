"""How far a little precision in the first layers of a network goes, on a NET32K without analog errors."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from hw_sim.chips.analog.host_layers import HostRetraining
from hw_sim.chips.net32k.options import Net32kOptions, Weights, net32k_options, net32k_sizes, precisions
from hw_sim.chips.net32k.report import HOST_RETRAINING, run_net32k
from hw_sim.chips.spec import ChipSpec
from retronet.datasets import DigitSets
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.trained import Trained


class PrecisionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left of a network at some precision of its first layers, without analog errors."""

    weights: Weights
    state_bits: int
    input_bits: int
    parts: tuple[int, ...]
    mapped: Score
    retrained: Score | None


class Precisions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"floating": "float"}):
    """A row for every precision that the chip's blocks allow, beside the network in floating point.

    ``options`` hold for all rows but for the bits of weights and states.
    """

    network: str
    options: Net32kOptions
    floating: Score
    rows: tuple[PrecisionRow, ...]


def tabulate_precisions(
    chip: ChipSpec, trained: Trained, digits: DigitSets, options: Net32kOptions | None = None
) -> Precisions:
    """Try every precision that the chip's blocks allow.

    Raises
    ------
    InputError
        As for `hw_sim.chips.net32k.report.run_net32k`; and if the blocks allow none.
    """
    sizes, options = net32k_sizes(chip), options or net32k_options(chip)
    grid = tuple(precisions(sizes, options))
    if not grid:
        raise InputError(
            f"There is no precision to tabulate on {sizes.called}: pixels of {options.input_bits} bits need "
            f"as many blocks for a weight of 1 bit; at most {sizes.most_blocks} join. Give pixels fewer bits."
        )
    rows = tuple(precision_rows(chip, trained, digits, grid))
    test = digits.test
    floating = score(trained.outputs(test.images), test.labels, trained.recipe.targets)
    return Precisions(trained.network.name, options, floating, rows)


def precision_rows(
    chip: ChipSpec,
    trained: Trained,
    digits: DigitSets,
    choices: Iterable[Net32kOptions],
    retraining: HostRetraining | None = HOST_RETRAINING,
) -> Iterator[PrecisionRow]:
    """Yield a row for each of `choices`.

    Raises
    ------
    InputError
        As for `hw_sim.chips.net32k.report.run_net32k`.
    """
    for options in choices:
        exact = replace(options, accuracy=0.0)
        report = run_net32k(chip, trained, digits, exact, chips=1, retraining=retraining)
        yield PrecisionRow(
            options.weights, options.state_bits, options.input_bits,
            tuple(layer.parts for layer in report.layers), report.ideal.mapped, report.ideal.retrained,
        )  # fmt: skip
