"""The sizes that a simulation takes from a chip's description, and what an arithmetic refuses of them."""

from hw_sim.chips.constants import constants
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor
from retronet.errors import InputError


def array_size(chip: ChipSpec, field: str, lowest: int, highest: int) -> int:
    """Return the size ``engine.<field>`` of a chip that is an array.

    Parameters
    ----------
    chip
        A chip with an arithmetic.
    field
        A field of `hw_sim.chips.spec.NeuronArray`.
    lowest, highest
        What the chip's arithmetic can take.

    Raises
    ------
    InputError
        If the chip is no array, or the size is not a whole number in that range.
    """
    if not isinstance(chip.engine, NeuronArray):
        raise _refused(chip, "engine.kind is 'processor'", "'array'")
    row = next(row for row in constants(chip) if row.key == f"engine.{field}")
    value = row.constant.value
    if value is None or value != int(value) or not lowest <= value <= highest:
        allowed = f"a whole number from {lowest:,} to {highest:,} {row.unit}".rstrip()
        stated = "unknown" if value is None else f"{value:,.12g} {row.unit}".rstrip()
        raise _refused(chip, f"{row.key} is {stated}", f"{lowest} alone" if lowest == highest else allowed)
    return int(value)


def check_processor(chip: ChipSpec) -> None:
    """Refuse a chip that is no processor.

    Raises
    ------
    InputError
        If it is an array.
    """
    if not isinstance(chip.engine, Processor):
        raise _refused(chip, "engine.kind is 'array'", "'processor'")


def _refused(chip: ChipSpec, stated: str, allowed: str) -> InputError:
    return InputError(
        f"The chip '{chip.name}' can not be simulated: {stated}; its arithmetic, '{chip.arithmetic}', takes "
        f"{allowed}. Mend the value, or take `arithmetic` out of its file to see its cost alone."
    )
