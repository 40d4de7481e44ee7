"""What others take for the same network, in the same run: onnxruntime in float and int8, torch, APyTypes.

Each is left out where it is not installed (``pip install -e '.[bench]'``). All run on one thread; those that
take a batch get all digits at once, which is their best case.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from test_simulation import (
    DIGITS,
    MACS,
    NETWORK,
    SUMS,
    Figures,
    Report,
    digits_per_s,
    images,
    parameters,
    trained,
)

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.plan.calibrate import calibrate
from retronet.network import sized_layers

OURS: dict[str, float] = {}
APY_TAPS, APY_UNITS, APY_BATCH = 192, 30, 128


def ours(name: str = "exact") -> float:
    """Return our own digits a second, the most of a few runs, measured once."""
    from time import perf_counter

    if name not in OURS:
        plan = calibrate(trained(), images(), 8, sums=SUMS[name])
        network, digits, least = quantize(trained(), plan), images(), np.inf
        for _ in range(30):
            start = perf_counter()
            run_integers(network, digits)
            least = min(least, perf_counter() - start)
        OURS[name] = DIGITS / least
    return OURS[name]


def kernels() -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays in float32, the second layer's with zeros for the planes that a map does not see."""
    given = {name: values.astype(np.float32) for name, values in parameters().items()}
    second, dense = sized_layers(NETWORK)[1], np.zeros((12, 12, 5, 5), np.float32)
    flat, start = given["h2.weight"].reshape(-1), 0
    for row, seen in enumerate(second.sees):
        dense[row, list(seen)] = flat[start : start + 25 * len(seen)].reshape(len(seen), 5, 5)
        start += 25 * len(seen)
    last = sized_layers(NETWORK)[-1].name
    return {
        "w1": given["h1.weight"].reshape(12, 1, 5, 5), "b1": given["h1.bias"].reshape(1, 12, 8, 8),
        "w2": dense, "b2": given["h2.bias"].reshape(1, 12, 4, 4),
        "w3": given["h3.weight"].reshape(30, 192).T.copy(), "b3": given["h3.bias"].reshape(30),
        "w4": given[f"{last}.weight"].reshape(10, 30).T.copy(), "b4": given[f"{last}.bias"].reshape(10),
        "pads": np.array([0, 0, 2, 2, 0, 0, 2, 2], np.int64), "white": np.float32(-1),
        "amplitude": np.float32(1.7159), "slope": np.float32(2 / 3),
    }  # fmt: skip


def write_onnx(path: Path) -> None:
    """Write the network as an ONNX file."""
    helper, numpy_helper = pytest.importorskip("onnx.helper"), pytest.importorskip("onnx.numpy_helper")
    nodes, below = [], "pixels"

    def add(kind: str, *inputs: str, **attributes: list[int]) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"t{len(nodes)}"], **attributes))
        return f"t{len(nodes) - 1}"

    def squash(sums: str) -> str:
        return add("Mul", add("Tanh", add("Mul", sums, "slope")), "amplitude")

    for layer in ("1", "2"):
        padded = add("Pad", below, "pads", "white")
        below = squash(add("Add", add("Conv", padded, f"w{layer}", strides=[2, 2]), f"b{layer}"))
    below = add("Flatten", below)
    for layer in ("3", "4"):
        below = squash(add("Gemm", below, f"w{layer}", f"b{layer}"))
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("pixels", 1, ["n", 1, 16, 16])],
        [helper.make_tensor_value_info(below, 1, ["n", 10])],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in kernels().items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def run_of(path: Path) -> Callable[[], object]:
    """Return a run of an ONNX file on one thread."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    digits = images()[:, np.newaxis]
    return lambda: session.run(None, {"pixels": digits})


def tell(report: Report, figures: Figures, name: str, found: float) -> None:
    figures[f"{name}, digits_per_s"], figures["ours in this run, digits_per_s"] = found, ours()
    report(f"{name}: {found:,.0f} digits/s; ours, exact 8-bit sums: {ours() / found:.2f} times that")


def test_onnxruntime_float(
    benchmark: BenchmarkFixture, report: Report, figures: Figures, tmp_path: Path
) -> None:
    write_onnx(tmp_path / "network.onnx")
    found = digits_per_s(benchmark, run_of(tmp_path / "network.onnx"))
    tell(report, figures, "onnxruntime, float32", found)


@pytest.mark.filterwarnings("ignore")
def test_onnxruntime_int8(
    benchmark: BenchmarkFixture, report: Report, figures: Figures, tmp_path: Path
) -> None:
    write_onnx(tmp_path / "network.onnx")
    quantization = pytest.importorskip("onnxruntime.quantization")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
        left = 1

        def get_next(self) -> dict[str, Any] | None:
            self.left -= 1
            return {"pixels": images()[:256, np.newaxis]} if self.left == 0 else None

    quantization.quantize_static(tmp_path / "network.onnx", tmp_path / "int8.onnx", Reader())
    found = digits_per_s(benchmark, run_of(tmp_path / "int8.onnx"))
    tell(report, figures, "onnxruntime, int8 with 32-bit sums", found)


def test_torch_float(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    torch.set_num_threads(1)
    found = {name: torch.tensor(values) for name, values in kernels().items()}
    digits = torch.tensor(images()[:, np.newaxis])

    def squash(sums: Any) -> Any:  # noqa: ANN401 - torch need not be there
        return 1.7159 * torch.tanh(sums * (2 / 3))

    def run() -> object:
        with torch.inference_mode():
            x = digits
            for layer in ("1", "2"):
                x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
                x = squash(functional.conv2d(x, found[f"w{layer}"], stride=2) + found[f"b{layer}"])
            x = x.flatten(1)
            for layer in ("3", "4"):
                x = squash(x @ found[f"w{layer}"] + found[f"b{layer}"])
            return x

    tell(report, figures, f"torch {torch.__version__}, float32", digits_per_s(benchmark, run))


def test_apytypes(benchmark: BenchmarkFixture, report: Report, figures: Figures) -> None:
    """A product of matrices with an accumulator of 20 bits that wraps, as H3 has it, by multiply-adds."""
    apytypes = pytest.importorskip("apytypes")
    rng = np.random.default_rng(0)
    weights, states = (
        apytypes.APyFixedArray.from_float(rng.uniform(-1, 1, shape), int_bits=1, frac_bits=7)
        for shape in ((APY_UNITS, APY_TAPS), (APY_TAPS, APY_BATCH))
    )

    def run() -> object:
        with apytypes.APyFixedAccumulatorContext(int_bits=6, frac_bits=14):
            return weights @ states

    macs = APY_UNITS * APY_TAPS * APY_BATCH * digits_per_s(benchmark, run, 1)
    own = MACS * ours("wrapped to 20 bits after every MAC")
    figures["APyTypes, wrapped sums, multiply_adds_per_s"] = macs
    report(f"APyTypes, sums wrapped to 20 bits: {macs / 1e9:.3f} GMAC/s; ours {own / macs:,.0f} times that")
