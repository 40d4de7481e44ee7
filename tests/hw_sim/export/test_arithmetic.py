"""Casts in SystemVerilog, run in Icarus, against the formats' own."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.hardware_tools import require

from hw_sim.export.arithmetic import FARTHEST, Functions, cast_body
from hw_sim.formats.fixed import Fixed, cast
from hw_sim.formats.modes import DETERMINISTIC, Overflow
from retronet.errors import InputError

VALUES = np.arange(-300, 301)
FORMS = [
    Fixed(bits, frac_bits, signed, rounding, overflow)
    for rounding in DETERMINISTIC
    for overflow in Overflow
    for bits, frac_bits, signed in ((5, 3, True), (4, 6, False), (6, -2, True), (9, 8, True))
]
"""From 6 fraction bits: shifts of 3, 0, 8 and −2."""


def test_every_cast_in_icarus(tmp_path: Path) -> None:
    require("iverilog")
    made, calls = Functions(), []
    for form in FORMS:
        body = cast_body("a", "value", int(VALUES[0]), int(VALUES[-1]), 6 - form.frac_bits, form)
        calls.append(made.add("cast_to", [("value", 10)], 12, body))
    prints = "\n".join(f'      $display("%0d", {call}(value));' for call in calls)
    bench = f"""module bench;
{"".join(made.texts)}
  reg signed [9:0] value;
  integer index;
  initial for (index = {VALUES[0]}; index <= {VALUES[-1]}; index = index + 1) begin
      value = index;
{prints}
  end
endmodule
"""
    (tmp_path / "bench.sv").write_text(bench, encoding="utf-8")
    subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "bench.sv"], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    found = np.array(done.stdout.split(), np.int64).reshape(VALUES.size, len(FORMS))
    for column, form in zip(found.T, FORMS, strict=True):
        assert np.array_equal(column, cast(VALUES, 6, form)), form.text


def test_the_same_body_is_written_once() -> None:
    made = Functions()
    body = cast_body("a", "value", -8, 7, 1, Fixed(3, 0))
    names = [made.add("cast_to", [("value", 4)], 3, body) for _ in range(2)]
    other = made.add("cast_to", [("value", 4)], 3, cast_body("a", "value", -8, 7, 2, Fixed(3, 0)))
    assert names[0] == names[1] != other
    assert len(made.texts) == 2


def test_a_shift_too_far_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"Layer 'a' can not be put in the circuit: a cast to s8.200 shifts 101 bits"
    ):
        cast_body("a", "value", -8, 7, -101, Fixed(8, 200))
    assert FARTHEST < 101
