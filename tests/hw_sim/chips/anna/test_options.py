"""The levels and defaults that an ANNA's bits leave."""

from pathlib import Path
from typing import Any

import pytest
from support.chip_files import chip_text, like, write

from hw_sim.chips.anna.options import AnnaOptions, anna_options, anna_sizes
from hw_sim.chips.load import load_chip
from retronet.errors import InputError


@pytest.mark.parametrize("bits", range(1, 9))
def test_levels_are_those_of_the_bits(tmp_path: Path, bits: int) -> None:
    sizes = anna_sizes(load_chip(str(like(tmp_path, "anna", weight_bits=bits, state_bits=bits))))
    codes = range(2**bits)
    twos = sorted(code - 2**bits if code >= 2 ** (bits - 1) else code for code in codes)
    # The first bit is the sign; ±0 are one.
    signed = sorted({(-1) ** (code >> (bits - 1)) * (code % 2 ** (bits - 1)) for code in codes})
    odd = [2 * code + 1 - 2**bits for code in codes]
    assert sizes.steps == 2**bits
    placements: list[tuple[Any, Any, list[int]]] = [("no-zero", "mid-rise", odd)]
    if bits > 1:
        placements += [
            ("sign-magnitude", "mid-tread", signed),
            ("twos-complement", "twos-complement", twos),
        ]
    for weights, states, levels in placements:
        options = AnnaOptions(weights=weights, states=states)
        assert sizes.weight_levels(options).tolist() == levels
        assert sizes.state_levels(options).tolist() == levels


def test_one_bit_has_a_level_on_either_side_of_zero(tmp_path: Path) -> None:
    chip = load_chip(str(like(tmp_path, "anna", weight_bits=1, state_bits=1)))
    options, sizes = anna_options(chip), anna_sizes(chip)
    assert (options.weights, options.states) == ("no-zero", "mid-rise")
    assert sizes.weight_levels(options).tolist() == sizes.state_levels(options).tolist() == [-1, 1]
    with pytest.raises(InputError, match=r"weights of ANNA .* 'sign-magnitude': .*'no-zero' is allowed"):
        sizes.weight_levels(AnnaOptions())
    with pytest.raises(InputError, match=r"states of ANNA .* 'twos-complement': .* Set states=mid-rise"):
        sizes.state_levels(AnnaOptions(states="twos-complement"))


def test_the_defaults_of_the_chip_itself() -> None:
    assert anna_options(load_chip("anna")) == AnnaOptions()
    sizes = anna_sizes(load_chip("anna"))
    assert (sizes.called, sizes.converters, sizes.most_terms) == ("ANNA", 8, 256)
    assert (sizes.weight_bits, sizes.state_bits) == (6, 3)


def test_as_many_layers_run_beside_the_chip_as_its_companion_runs(tmp_path: Path) -> None:
    text = chip_text("anna")
    more = text.replace("last_layers = { value = 1,", "last_layers = { value = 3,")
    assert anna_options(load_chip(write(tmp_path, more))).float_layers == 3
    head, _, rest = text.partition("[companion]")
    alone = head + rest[rest.index("[[facts]]") :]
    assert anna_options(load_chip(write(tmp_path, alone))).float_layers == 1
