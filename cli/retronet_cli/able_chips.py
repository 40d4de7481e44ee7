"""Which chips a command is about: those named or, without names, all that can run the network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retronet.errors import InputError

if TYPE_CHECKING:
    from hw_sim.chips.spec import ChipSpec
    from retronet.network import NetworkSpec


def chips_for(names: Sequence[str], network: "NetworkSpec") -> "tuple[list[ChipSpec], list[str]]":
    """Return chips, and a sentence for each that was not named and can not run `network`.

    Raises
    ------
    InputError
        If there is no chip of a name.
    """
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.chips.load import chip_names, load_chip

    if names:
        return [load_chip(name) for name in names], []
    able, left_out = [], []
    for name in chip_names():
        chip = load_chip(name)
        try:
            cost(chip, network)
        except InputError as error:
            # What is allowed and what to do is for those who named it.
            left_out.append(f"{name} is left out. {str(error).split('. ', 1)[0]}.")
        else:
            able.append(chip)
    return able, left_out
