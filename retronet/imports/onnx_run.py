"""Runs an ONNX file as its own runtime does, to be set beside the network that was read from it.

It is run after it was read: by then every node of it is known to be one of those that networks here have.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.imports.onnx_file import onnx_package
from retronet.imports.onnx_network import OnnxNetwork
from retronet.refusals import said_by

Run = Callable[[NDArray[np.floating]], NDArray[np.floating]]


def run_file(path: Path, read: OnnxNetwork, images: NDArray[np.floating]) -> tuple[str, NDArray[np.floating]]:
    """Return what ran the file, and its outputs (n, classes) for `images`.

    ONNX Runtime where it is installed and takes the file; else the reference evaluator of the package onnx.

    Parameters
    ----------
    path, read
        The file and what was read from it.
    images
        Shape (n, rows, columns), as the network reads them.

    Raises
    ------
    InputError
        If neither runs it.
    """
    inputs = read.inputs(images)
    lot = read.graph.batch or len(inputs)
    name, outputs = "the package onnx", []
    try:
        name, run = _runtime(path, read)
        for first in range(0, len(inputs), lot):
            few = inputs[first : first + lot]
            # A file made for so many images at a time takes no fewer.
            whole = np.concatenate([few, np.repeat(few[-1:], lot - len(few), 0)])
            outputs.append(np.asarray(run(whole)).reshape(lot, -1)[: len(few)])
    except Exception as error:
        # The runtimes have their own errors, of no common class.
        raise InputError(
            f"The file {path} can not be run by {name}: {said_by(error)}. The network read from it can not "
            "be compared with it: check the file with onnx.checker, or export it again."
        ) from error
    return name, np.concatenate(outputs)


def _runtime(path: Path, read: OnnxNetwork) -> tuple[str, Run]:
    key, output = read.graph.input, read.graph.output
    try:
        import onnxruntime

        options: Any = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return "onnxruntime", lambda images: session.run([output], {key: images})[0]
    except Exception:  # not there, or older than the file
        onnx_package()
        from onnx.reference import ReferenceEvaluator

        evaluator: Any = ReferenceEvaluator(str(path))
        return "onnx's reference evaluator", lambda images: evaluator.run([output], {key: images})[0]
