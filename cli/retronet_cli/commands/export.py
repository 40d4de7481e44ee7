"""`retronet export`: a network on integers as files for other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet.errors import InputError
from retronet_cli.options import (
    COUNT,
    data_dir_option,
    json_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import plan_for, precision_options
from retronet_cli.suggesting import SuggestingGroup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hw_sim.export.files import Origin
    from hw_sim.fixed_point.quantize import IntegerNetwork
    from hw_sim.fixed_point.trace import Trace
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.trained import Trained

Command = Callable[..., Any]
SOURCES = (run_argument, precision_options, other_data_option, data_dir_option, runs_option)
LAST = (json_option, quiet_option)

folder_option = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to write, new or empty.",
)
digits_option = click.option(
    "--digits",
    type=COUNT,
    default=20,
    show_default=True,
    metavar="N",
    help="The first N test digits come with it.",
)
force_option = click.option("--force", is_flag=True, help="Write over what is there.")


def _with(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group(cls=SuggestingGroup)
def export() -> None:
    """Write a network on integers as files for other tools.

    Golden vectors are for a test bench of your own, an ONNX graph for a runtime, RTL is a circuit. All of
    them make the simulator's integers, or the export is refused.

    \b
    Examples:
      retronet export golden -o vectors
      retronet export onnx -o net.onnx --bits 8
      retronet export rtl -o circuit --macs 8
    """


@export.command("golden", short_help="Every integer of the network and of some digits.")
@_with(*SOURCES, folder_option, digits_option, force_option, *LAST)
def golden_vectors(output: Path, digits: int, force: bool, **given: Any) -> None:  # noqa: ANN401 - see _taken
    """Write every integer of the network and of some digits.

    RUN is the folder of a run; without it, the latest one. DIR gets weights, biases, thresholds, inputs, sums
    and states as .npz and as .mem for $readmemh, a manifest and a page that explains them.

    \b
    Examples:
      retronet export golden -o vectors --bits 8 --digits 100
      retronet export golden runs/a -o vectors --plan mine.toml
    """
    from hw_sim.export.golden import golden

    as_json = given.pop("as_json")
    network, traced, origin = _traced(digits, given)
    _write(golden(network, traced, origin), output, force, as_json, "golden", {"digits": len(traced.inputs)})


@export.command("rtl", short_help="A circuit in SystemVerilog, with test benches.")
@_with(*SOURCES, folder_option)
@click.option(
    "--macs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Multiplications a cycle: maps that are computed side by side.",
)
@_with(digits_option, force_option, *LAST)
def circuit(output: Path, macs: int, digits: int, force: bool, **given: Any) -> None:  # noqa: ANN401 - see _taken
    """Write a circuit in SystemVerilog, with test benches.

    RUN is the folder of a run; without it, the latest one. DIR gets the modules, the contents of their
    memories, the digits of the test benches with every sum and state, and a Makefile: `make sim` runs them in
    Verilator, `make sim-icarus` in Icarus Verilog, `make ice40` and `make ecp5` synthesise with yosys and
    nextpnr.

    \b
    Examples:
      retronet export rtl -o circuit --bits 8
      retronet export rtl -o circuit --macs 8 --digits 200
      retronet export rtl -o circuit --accumulator-bits 18 --accumulator-overflow sat
    """
    import json

    from hw_sim.export.rtl import rtl

    as_json = given.pop("as_json")
    network, traced, origin = _traced(digits, given)
    files = rtl(network, traced, origin, macs)
    made = json.loads(files["circuit.json"])
    facts = {key: made[key] for key in ("macs", "cycles_per_digit", "macs_per_digit", "digits")}
    _write(files, output, force, as_json, "rtl", facts | {"memory_bits": sum(made["memory_bits"].values())})


@export.command("onnx", short_help="An ONNX graph of integers, or of real numbers.")
@_with(*SOURCES)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option(
    "--form",
    type=click.Choice(["integer", "qdq", "qonnx", "float"]),
    default="integer",
    show_default=True,
    help="The simulator's integers; quantisers around real sums; QONNX's quantisers; the trained network.",
)
@click.option("--all-outputs", is_flag=True, help="Every layer's sums and states are outputs too.")
@_with(force_option, *LAST)
def onnx(output: Path, form: str, all_outputs: bool, force: bool, **given: Any) -> None:  # noqa: ANN401 - see _taken
    """Write an ONNX graph.

    RUN is the folder of a run; without it, the latest one. The integer form makes the simulator's sums and
    states in any runtime. qdq has QuantizeLinear and DequantizeLinear around real sums: now and then a state
    comes out as its neighbour. float takes no plan. Needs the package onnx: pip install 'retronet[onnx]'.

    \b
    Examples:
      retronet export onnx -o net.onnx --bits 4
      retronet export onnx -o net.onnx --form qdq
      retronet export onnx runs/a -o net.onnx --form float
    """
    as_json = given.pop("as_json")
    if output.exists() and not force:
        raise InputError(f"The file {output} exists. Name another one, or write over it with --force.")
    content = _onnx(form, all_outputs, given)
    files = {output.name: content}
    _write(files, output.parent, True, as_json, "onnx", {"form": form})


def _onnx(form: str, every: bool, given: dict[str, Any]) -> bytes:
    from hw_sim.export.onnx_float import onnx_float, onnx_qdq
    from hw_sim.export.onnx_integer import onnx_integer
    from hw_sim.export.onnx_qonnx import onnx_qonnx

    if form != "float":
        network, _, origin = _traced(1, given)
        makers = {"integer": onnx_integer, "qdq": onnx_qdq, "qonnx": onnx_qonnx}
        return makers[form](network, origin, every=every)
    asked = given["choices"].given
    if asked or every:
        word = asked[0] if asked else "all-outputs"
        raise click.UsageError(
            f"--{word} does not go with --form float, which has no integers. Leave one out."
        )
    from retronet_cli.runs import take_run

    folder, checkpoint = take_run(given["run"], given["runs"], given["quiet"])
    return onnx_float(checkpoint.header.network, checkpoint.state.parameters, _origin(folder, ""))


def _origin(folder: Path, digits: str) -> "Origin":
    import retronet
    from hw_sim.export.files import Origin

    return Origin(f"retronet {retronet.__version__}", folder.name, digits)


def _traced(digits: int, given: dict[str, Any]) -> "tuple[IntegerNetwork, Trace, Origin]":
    """Return the network on integers that the options ask for, and what it makes of the first test digits."""
    from hw_sim.fixed_point.ahead import to_simulate_under
    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.fixed_point.trace import trace_integers
    from hw_sim.kernels.layer import run_integer_layer
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import take_digits, take_run
    from retronet_cli.terminal import talk

    folder, checkpoint = take_run(given["run"], given["runs"], given["quiet"])
    trained = checkpoint.trained

    def planned(guessed: "Trained", images: "NDArray[np.float32]") -> "PrecisionPlan":
        return plan_for(given["choices"], folder, guessed, images, quiet=True)[0]

    compile_ahead(run_integer_layer, lambda: to_simulate_under([planned], trained, trace_integers))
    sets = take_digits(checkpoint, given["data"], given["data_dir"])
    plan, _ = plan_for(given["choices"], folder, trained, sets.train, given["quiet"])
    network = quantize(trained, plan)
    for warning in network.warnings:
        talk(f"Warning: {warning}")
    if digits > len(sets.test.images):
        raise InputError(
            f"{digits:,} digits can not be exported: there are {len(sets.test.images):,} test digits. Ask "
            f"for that many or fewer."
        )
    name = f"the first {digits} test digits of {sets.test.provenance.name}"
    return network, trace_integers(network, sets.test.images[:digits]), _origin(folder, name)


def _write(
    files: dict[str, bytes], folder: Path, force: bool, as_json: bool, target: str, facts: dict[str, Any]
) -> None:
    """Write files and say what was written."""
    from hw_sim.export.files import digest, write_files
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.export import export_table

    write_files(files, folder, force=force)
    if as_json:
        digests = {name: digest(content) for name, content in files.items()}
        print_json("export", {"target": target, "folder": str(folder), **facts, "sha256": digests})
        return
    print_table(export_table(target, folder, files, facts))
