"""Circuits make the simulator's integers in Icarus, in Verilator and as a netlist; they notice a change."""

import json
import subprocess
from pathlib import Path

import numba
import numpy as np
import pytest
from msgspec.structs import replace
from support.export_networks import NETWORKS, changed, plans
from support.hardware_tools import change_a_weight, make, require, written
from support.random_networks import random_network
from support.small_network import NETWORK, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.export.files import Files, Origin, read_mem
from hw_sim.export.rtl import rtl
from hw_sim.export.synthesis import synthesised
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from retronet.datasets import load
from retronet.errors import InputError
from retronet.initial import initial_parameters
from retronet.network import NetworkSpec, load_network
from retronet.recipe import load_recipe

ORIGIN = Origin("retronet", "a", "made-up digits")
MACS = (1, 2, 3, 8)


def exported(network: NetworkSpec, plan: PrecisionPlan, macs: int, digits: int = 2) -> Files:
    parameters, images = draw(network, 3, digits)
    integers = quantize(trained_of(network, parameters), plan)
    return rtl(integers, trace_integers(integers, images), ORIGIN, macs)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_plan_in_icarus(name: str, tmp_path: Path) -> None:
    require("make", "iverilog")
    network = NETWORKS[name]
    for index, plan in enumerate(plans(network)):
        folder = written(exported(network, plan, MACS[index % len(MACS)]), tmp_path / str(index))
        code, printed = make(folder, "sim-icarus")
        assert code == 0, (index, printed)
        assert ": 0 differences;" in printed


@pytest.mark.parametrize("name", ["fc40", "lenet1", "lenet5-softmax"])
def test_networks_of_the_line_in_icarus(name: str, tmp_path: Path) -> None:
    require("make", "iverilog")
    network = load_network(name)
    plan = plan_of(network, "s6.4", "s14.8:RND:SAT", bias="s14.8", tap_order="plane_slowest")
    code, printed = make(written(exported(network, plan, 8, digits=1), tmp_path / "a"), "sim-icarus")
    assert code == 0, printed
    assert ": 0 differences;" in printed


def test_icarus_sees_a_changed_weight(tmp_path: Path) -> None:
    require("make", "iverilog")
    folder = written(exported(NETWORK, plan_of(NETWORK, "s8.6"), 1), tmp_path / "a")
    change_a_weight(folder)
    code, printed = make(folder, "sim-icarus")
    assert code != 0
    assert ": 0 differences;" not in printed


def historic(digits: int, macs: int) -> tuple[IntegerNetwork, Files]:
    """Return the network of 1989 with its first weights, at 8 bits, and its circuit."""
    if numba.config.DISABLE_JIT:
        pytest.skip("calibration on digits needs compiled code")
    recipe, network = load_recipe("lecun1989"), load_network("lecun1989")
    sets = load("digits5k", recipe.preparation)
    parameters = initial_parameters(network, recipe.initial, recipe.seed)
    plan = calibrate(trained_of(network, parameters), sets.train.images[:500])
    integers = quantize(trained_of(network, parameters), plan)
    return integers, rtl(integers, trace_integers(integers, sets.test.images[:digits]), ORIGIN, macs)


def test_two_hundred_digits_in_verilator(tmp_path: Path) -> None:
    require("make", "verilator", "g++")
    folder = written(historic(200, 8)[1], tmp_path / "a")
    code, printed = make(folder, "sim")
    assert code == 0, printed
    assert "200 digits, 1000 units each: 0 differences" in printed
    change_a_weight(folder)
    code, printed = make(folder, "sim")
    assert code != 0
    assert ": 0 differences" not in printed


def test_twenty_digits_on_the_netlist(tmp_path: Path) -> None:
    require("make", "verilator", "g++", "yosys")
    folder = written(exported(NETWORK, plan_of(NETWORK, "s5.3"), 2, digits=20), tmp_path / "a")
    code, printed = make(folder, "netlist")
    assert code == 0, printed
    assert "20 digits, 85 units each: 0 differences" in printed
    change_a_weight(folder)
    code, printed = make(folder, "netlist")
    assert code != 0
    assert ": 0 differences" not in printed
    assert "differences;" in printed


def test_the_network_of_1989_fits_an_up5k(tmp_path: Path) -> None:
    require("make", "yosys", "nextpnr-ice40")
    folder = written(historic(1, 1)[1], tmp_path / "a")
    code, printed = make(folder, "ice40")
    assert code == 0, printed
    network, (found,) = synthesised(folder)
    assert network == load_network("lecun1989")
    assert found.cells is not None
    assert found.clock_hz is not None
    assert found.cells_available == 5280
    assert found.clock_hz >= 12e6
    assert found.digits_per_s == found.clock_hz / found.cycles_per_digit


def test_eight_macs_are_five_times_as_fast() -> None:
    integers, files = historic(1, 8)
    images = np.zeros((1, 16, 16), np.float32)
    alone = json.loads(rtl(integers, trace_integers(integers, images), ORIGIN)["circuit.json"])
    assert alone["cycles_per_digit"] < 1.01 * alone["macs_per_digit"]
    assert alone["cycles_per_digit"] > 5 * json.loads(files["circuit.json"])["cycles_per_digit"]


PINS = """
module bench #(
`include "parameters.svh"
);
  reg clk = 0, reset = 1, shift = 0, bit_in = 0;
  wire busy;
  wire [ANSWER_BITS-1:0] answer;
  pins tested (clk, reset, shift, bit_in, busy, answer);
  reg [STATE_BITS-1:0] digits[0:DIGITS*PIXELS-1];
  integer digit, index, place;
  always #1 clk = !clk;
  initial begin
    $readmemh("digits.mem", digits);
    repeat (2) @(negedge clk);
    reset = 0;
    for (digit = 0; digit < DIGITS; digit = digit + 1) begin
      for (index = 0; index < PIXELS; index = index + 1)
        for (place = STATE_BITS - 1; place >= 0; place = place - 1) begin
          shift = 1;
          bit_in = digits[digit*PIXELS+index][place];
          @(negedge clk);
        end
      shift = 0;
      repeat (4) @(negedge clk);
      while (busy) @(negedge clk);
      $display("%0d", answer);
    end
    $finish(0);
  end
endmodule
"""


def test_a_few_pins_are_enough(tmp_path: Path) -> None:
    require("iverilog")
    files = exported(NETWORK, plan_of(NETWORK, "s8.6"), 2, digits=20)
    folder = written({**files, "bench.sv": PINS.encode()}, tmp_path / "a")
    sources = ("memory.sv", "network.sv", "pins.sv", "bench.sv")
    subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", "bench.vvp", *sources], cwd=folder, check=True)
    done = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True, text=True)
    answers = read_mem(files["answers.mem"])
    assert [int(line) for line in done.stdout.split()] == answers
    assert len(set(answers)) > 1


def test_the_same_network_gives_the_same_bytes() -> None:
    plan = plan_of(NETWORK, "s8.6")
    assert exported(NETWORK, plan, 3) == exported(NETWORK, plan, 3)


def test_rbf_is_refused() -> None:
    network = load_network("lenet5")
    parameters, images = draw(network, 0, 1)
    integers = quantize(trained_of(network, parameters), plan_without_rbf(network))
    with pytest.raises(InputError, match=r"Layer 'output' can not be put in the circuit: it is an RBF layer"):
        rtl(integers, trace_integers(integers, images), ORIGIN)


def plan_without_rbf(network: NetworkSpec) -> PrecisionPlan:
    return plan_of(replace(network, layers=network.layers[:-1]), "s8.6", bias="s32.12")


def random_plan(network: NetworkSpec, seed: int) -> PrecisionPlan:
    """Return one of a few plans: exact and cast sums, a bias at the end, states that are always 0."""
    exact = plan_of(network, "s6.4")
    found = (
        exact,
        plan_of(network, "s6.4", "s10.6:RND:SAT"),
        plan_of(network, "s5.3", "s9.5:RND_CONV:SAT", fused=True),
        changed(exact, state=Fixed(4, -6), bias_at="end"),
        changed(exact, bias_at="end"),
    )[seed % 5]
    return replace(found, tap_order=("plane_fastest", "plane_slowest")[seed // 5 % 2])


@pytest.mark.parametrize("seed", range(20))
def test_geometries_that_nobody_would_choose(seed: int, tmp_path: Path) -> None:
    require("make", "iverilog")
    network, rng = random_network(seed), np.random.default_rng(seed)
    parameters, _ = draw(network, seed, 1)
    images = rng.uniform(-1, 1, (2, *network.input)).astype(np.float32)
    integers = quantize(trained_of(network, parameters), random_plan(network, seed))
    macs = (1, 2, 3, 5, 8, 16)[seed % 6]
    folder = written(rtl(integers, trace_integers(integers, images), ORIGIN, macs), tmp_path / "a")
    code, printed = make(folder, "sim-icarus")
    assert code == 0, printed
    assert "2 digits" in printed
    assert ": 0 differences;" in printed
