"""Loads chips: those that come with the package by name, private ones by the path of their file."""

from pathlib import Path

from hw_sim.chips.constants import check
from hw_sim.chips.spec import ChipSpec
from retronet.descriptions import decode_toml, find, names_in

FOLDER = Path(__file__).parent


def chip_names() -> list[str]:
    """Return the names of the chips that come with the package."""
    return names_in(FOLDER)


def load_chip(name: str) -> ChipSpec:
    """Return the chip called `name`, or the one in the file `name` if that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is none, or its file has an unknown key, a missing key, a constant without a source or a
        value outside its range.
    """
    path = find("chip", name, FOLDER)
    chip = decode_toml(path, ChipSpec)
    check(chip, path)
    return chip
