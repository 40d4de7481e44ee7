"""Graf's templates: what is stored in the chip, and the currents that a simulated chip makes of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.normal import normal
from hw_sim.chips.cost.mapping import number
from hw_sim.chips.sizes import array_size
from hw_sim.chips.spec import ChipSpec, NeuronArray
from retronet.descriptions import decode_toml
from retronet.errors import ChoiceError, InputError
from retronet.kernels.fields import LANES
from retronet.network import Positive

FOLDER = Path(__file__).parent / "templates"
LARGEST_TEMPLATE = 13
"""Rows and columns of the largest template: a row of a window is looked up in 2^13 sums."""

WORD = 64
"""Templates whose matches are held in one number."""
MARGIN = 0.5
"""How far below a template's threshold its comparator is set, in excitatory currents: the middle between two
sums of whole currents (assumed)."""

MarkRow = Annotated[str, msgspec.Meta(pattern=r"^[+.\-]+\Z")]


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A window of wanted pixels: ``+`` black (+1), ``-`` white (−b), ``.`` either (0).

    It matches where its sum over the black pixels is not below `threshold`.
    """

    name: str
    threshold: Positive
    rows: Annotated[tuple[MarkRow, ...], msgspec.Meta(min_length=1)]


class FeatureMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature: it is where all templates of any of its groups match, an OR of ANDs."""

    name: str
    any_of: Annotated[tuple[tuple[str, ...], ...], msgspec.Meta(min_length=1)]


class TemplateSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Templates that are compared in one call, as their file states them.

    ``standing`` says whose templates they are, ``rule`` how they were made.
    """

    name: str
    title: str
    size: Positive
    standing: str
    rule: str
    templates: Annotated[tuple[Template, ...], msgspec.Meta(min_length=1)]
    maps: tuple[FeatureMap, ...] = ()


@dataclass(frozen=True)
class GrafSizes:
    """The sizes of a chip's arithmetic, as its file states them.

    Attributes
    ----------
    amplifiers
        Templates that the chip compares at once.
    inputs
        Pixels of a template, at most.
    call_s
        Seconds of one call.
    """

    amplifiers: int
    inputs: int
    call_s: float


def graf_sizes(chip: ChipSpec) -> GrafSizes:
    """Return the sizes of `chip`.

    A connection excites, does nothing or inhibits, a pixel is black or white, and a sum leaves its amplifier
    as one bit.

    Raises
    ------
    InputError
        If the arithmetic can not take one of them.
    """
    array_size(chip, "weight_bits", 2, 2)
    array_size(chip, "state_bits", 1, 1)
    array_size(chip, "max_joined", 1, 1)
    array_size(chip, "accumulates", 0, 0)
    amplifiers, inputs = array_size(chip, "neurons", 1, 1024), array_size(chip, "inputs", 1, 1024)
    assert isinstance(chip.engine, NeuronArray)
    return GrafSizes(amplifiers, inputs, number(chip.engine.cycle_s) * number(chip.engine.cycles_per_call))


@dataclass(frozen=True)
class Currents:
    """What a simulated chip adds up and compares with.

    Attributes
    ----------
    size
        Rows and columns of a window.
    rows : ndarray of float64, shape (size * 2**size * templates,)
        What each row of a window, read as a binary number, adds to each template's sum. Templates are a
        multiple of eight, as the kernels take them: the last perhaps without currents, and matching nothing.
    thresholds : ndarray of float64, shape (templates,)
        Of the comparators, in excitatory currents: `MARGIN` below those of the templates, offsets included.
    """

    size: int
    rows: NDArray[np.float64]
    thresholds: NDArray[np.float64]


@dataclass(frozen=True)
class Mismatch:
    """How one chip deviates, whatever is stored in it.

    Attributes
    ----------
    connections : ndarray of float64, shape (amplifiers, inputs)
        Relative deviation of each connection's current; a row is an amplifier.
    offsets : ndarray of float64, shape (amplifiers,)
        Offset of each comparator, in excitatory currents.
    """

    connections: NDArray[np.float64]
    offsets: NDArray[np.float64]


def load_templates(name: str, sizes: GrafSizes) -> TemplateSet:
    """Return the templates called `name`, or those in the file `name` if that ends in ``.toml``.

    Raises
    ------
    InputError
        If there are none, the file does not hold together, or they do not fit into a chip of these `sizes`.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ChoiceError(
            f"There are no templates '{name}'. There are: {names}; or give a path to a .toml file."
        )
    templates = decode_toml(path, TemplateSet)
    _check(templates, path, sizes)
    return templates


def _check(templates: TemplateSet, path: Path, sizes: GrafSizes) -> None:
    size, names = templates.size, [each.name for each in templates.templates]

    def refuse(stated: str, allowed: str) -> InputError:
        return InputError(f"The templates in {path} can not be used: {stated}; {allowed}. Mend the file.")

    most_pixels = min(sizes.inputs, LARGEST_TEMPLATE**2)
    if size % 2 == 0 or size * size > most_pixels:
        raise refuse(f"'size' is {size}", f"odd sizes of at most {most_pixels} pixels are allowed")
    if len(names) > sizes.amplifiers:
        raise InputError(
            f"The templates in {path} do not fit: they are {len(names)}; the chip compares at most "
            f"{sizes.amplifiers} at once (engine.neurons). Give fewer, or a chip of more amplifiers."
        )
    if len(set(names)) < len(names):
        raise refuse("two templates have one name", "each needs its own")
    for each in templates.templates:
        if [len(row) for row in each.rows] != [size] * size:
            raise refuse(f"template '{each.name}' is not {size}×{size}", "'size' marks a row are needed")
        most = sum(row.count("+") for row in each.rows)
        if each.threshold > most:
            raise refuse(f"template '{each.name}' has the threshold {each.threshold}", f"at most {most} fits")
    for feature in templates.maps:
        unknown = {name for group in feature.any_of for name in group} - set(names)
        if unknown or not all(feature.any_of):
            raise refuse(
                f"map '{feature.name}' names {sorted(unknown) or 'no template in a group'}",
                "names of the file's templates are allowed",
            )


def weights(templates: TemplateSet, inhibition: float) -> NDArray[np.float64]:
    """Return the connections (templates, size, size): 1, 0 and −`inhibition` (b)."""
    value = {"+": 1.0, ".": 0.0, "-": -inhibition}
    return np.array([[[value[mark] for mark in row] for row in each.rows] for each in templates.templates])


def draw_mismatch(
    sizes: GrafSizes, current_deviation: float, offset_deviation: float, generator: np.random.Generator
) -> Mismatch:
    """Return the deviations of one chip, normal with the standard deviations given (an assumption).

    Parameters
    ----------
    sizes
        Of the chip.
    current_deviation
        Of each connection's current, relative to it.
    offset_deviation
        Of each comparator's offset, in excitatory currents.
    generator
        Draws the connections row by row, then the comparators.
    """
    return Mismatch(
        current_deviation * normal(generator, (sizes.amplifiers, sizes.inputs)),
        offset_deviation * normal(generator, sizes.amplifiers),
    )


def currents(templates: TemplateSet, inhibition: float, mismatch: Mismatch | None = None) -> Currents:
    """Return the currents that `templates` draw on one chip.

    Parameters
    ----------
    templates
        What is stored: the first template in the first row of connections, its pixels row by row.
    inhibition
        Inhibitory current over excitatory current, b.
    mismatch
        The chip's deviations; the ideal chip's if absent.
    """
    connections = weights(templates, inhibition)
    thresholds = np.array([each.threshold - MARGIN for each in templates.templates])
    if mismatch is not None:
        count, inputs = len(thresholds), templates.size**2
        connections *= 1 + mismatch.connections[:count, :inputs].reshape(connections.shape)
        thresholds += mismatch.offsets[:count]
    size = templates.size
    rows = np.arange(1 << size)
    pixels = (rows[:, np.newaxis] >> np.arange(size - 1, -1, -1)) & 1
    table = np.zeros((size, 1 << size, -(-len(thresholds) // LANES) * LANES))
    added = table[:, :, : len(thresholds)]
    for column in range(size):  # one after the other: the order of the sum is stated, not the library's
        added += pixels[np.newaxis, :, column, np.newaxis] * connections[:, :, column].T[:, np.newaxis, :]
    empty = table.shape[2] - len(thresholds)
    return Currents(size, table.reshape(-1), np.append(thresholds, np.full(empty, np.inf)))


def feature_groups(templates: TemplateSet) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the maps' groups for the kernel: a bit for each template one needs, and where maps start."""
    places = {each.name: divmod(index, WORD) for index, each in enumerate(templates.templates)}
    groups = [group for feature in templates.maps for group in feature.any_of]
    needed = np.zeros((len(groups), -(-len(places) // WORD)), np.uint64)
    for index, group in enumerate(groups):
        for word, bit in map(places.__getitem__, group):
            needed[index, word] |= np.uint64(1 << bit)
    return needed, np.cumsum([0, *(len(feature.any_of) for feature in templates.maps)])
