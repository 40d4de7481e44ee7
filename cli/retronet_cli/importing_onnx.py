"""What `retronet import` does with an ONNX file: a network, a run, and a comparison of the two."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retronet.datasets import DigitSets
    from retronet.imports.onnx_network import OnnxNetwork
    from retronet.recipe import Recipe
    from retronet.runs.run import Run

CLOSE = 1e-5
"""Of outputs up to 1, else of the largest one: what single precision leaves between two orders of sums."""

FAR = 1e-2
"""As `CLOSE`: beyond it the network is another one, whatever the order of its sums."""

FOR_ARRAYS = ("network", "rename", "transpose")
"""Options of files that hold arrays alone."""


def import_graph(
    file: Path,
    recipe: str | None,
    data: str | None,
    preparation: str | None,
    count: int,
    places: tuple[Path | None, Path, Path | None, bool],
) -> "tuple[Run, dict[str, Any]]":
    """Make a run of the network in an ONNX file, and compare the two on test digits.

    Parameters
    ----------
    file
        The .onnx file.
    recipe
        The recipe that the run takes digits, loss and targets from; None is one made for the network.
    data, preparation
        The digits, instead of the recipe's.
    count
        Test digits to compare the outputs on.
    places
        The folder of the run, that of all runs, that of the data, and whether to overwrite a run.

    Returns
    -------
    Run, dict
        The run, and what the comparison gave, as JSON has it.

    Raises
    ------
    InputError
        If the file can not be read, or says what no network here can.
    """
    from retronet.descriptions import as_toml
    from retronet.imports.onnx_network import import_onnx
    from retronet.imports.parameters import converted, file_digest
    from retronet.runs.checkpoint import write_atomically
    from retronet.runs.configuration import ByImport
    from retronet.runs.create import create_run
    from retronet.runs.lock import writing
    from retronet.runs.run import NETWORK
    from retronet.training.train import TrainingState
    from retronet_cli.digits import digits_for
    from retronet_cli.terminal import talk

    folder, runs, data_dir, force = places
    read = import_onnx(file)
    _check_classes(read)
    made_for = _recipe(read, recipe, data, preparation)
    parameters = converted(read.parameters, made_for.precision)
    digits, chosen = digits_for(read.network, made_for.data, made_for.preparation, data_dir)
    made_for = _changed(made_for, preparation=chosen)
    notes = [*read.notes, *_beside(file, read)]
    for note in notes:
        talk(note)
    compared = _compare(file, read, made_for.precision, parameters, digits, count)
    made = ByImport(file.name, file_digest(file), recognised=tuple(notes))
    run = create_run(made_for, read.network, digits, folder, runs, force, made)
    with writing(run.folder):
        run.check_unchanged()
        write_atomically(run.folder / NETWORK, as_toml(read.network).encode())
        run.keep(TrainingState(0, parameters, {}))
    return run, {"description": str(run.folder / NETWORK), **compared}


def refuse_options_for_arrays() -> None:
    """Refuse what names or turns arrays, where the file says itself what they are."""
    context = click.get_current_context()
    for name in FOR_ARRAYS:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name} is for files of arrays; an ONNX file says itself what its network is. "
                "Leave it out."
            )


def _check_classes(read: "OnnxNetwork") -> None:
    from retronet.errors import InputError
    from retronet.network import sized_layers

    classes = sized_layers(read.network)[-1].units
    if classes < 10:
        raise InputError(
            f"The network has {classes} outputs, and digits are of ten classes: ten outputs or more are "
            "allowed. Export a network that tells digits."
        )


def _recipe(read: "OnnxNetwork", name: str | None, data: str | None, preparation: str | None) -> "Recipe":
    """Return the recipe of the run: the one that was named, or one with the loss that the outputs suggest."""
    from retronet.network import Identity, sized_layers
    from retronet.recipe import load_recipe
    from retronet_cli.terminal import talk

    asked = {"data": data, "preparation": preparation, "network": read.network.name}
    if read.graph.precision == "float64":
        asked["precision"] = "float64"
    if name is not None:
        return _changed(load_recipe(name), **asked)
    network = read.network
    own: dict[str, Any] = {
        "name": network.name,
        "title": network.title,
        "source": "",
        "assumptions": ["How it was trained is not in the file: rule, schedule and order are those of 1989."],
    }
    if read.ending or isinstance(sized_layers(network)[-1].activation, Identity):
        own["loss"] = {"kind": "cross-entropy"}
        talk(
            "Losses are cross-entropies, since the outputs are linear or a softmax; --recipe chooses another."
        )
    return _changed(load_recipe("lecun1989"), **(own | asked))


def _changed(recipe: "Recipe", **changes: Any) -> "Recipe":  # noqa: ANN401 - values of a recipe
    from retronet.recipe import override

    return override(recipe, {key: value for key, value in changes.items() if value is not None})


def _beside(file: Path, read: "OnnxNetwork") -> list[str]:
    """Return the digests of the files beside it, which are part of what was imported."""
    from retronet.imports.parameters import file_digest

    return [f"{name}: SHA-256 {file_digest(file.parent / name)}." for name in read.graph.beside]


def _compare(
    file: Path,
    read: "OnnxNetwork",
    precision: str,
    parameters: "dict[str, NDArray[np.floating]]",
    digits: "DigitSets",
    count: int,
) -> dict[str, Any]:
    """Return the largest difference of the file's outputs and ours on the first test digits."""
    import numpy as np

    from retronet.engines.forward import outputs
    from retronet.engines.workspace import Workspace
    from retronet.errors import InputError
    from retronet.imports.onnx_network import largest_difference
    from retronet.imports.onnx_run import run_file
    from retronet_cli.terminal import talk

    images = digits.test.images[:count]
    workspace = Workspace(read.network, precision)
    workspace.load(parameters)
    ours = read.ended(outputs(workspace, images))
    by, theirs = run_file(file, read, images)
    difference, largest = largest_difference(theirs, ours), float(np.abs(ours).max(initial=0.0))
    allowed = CLOSE * max(1.0, largest)
    if not difference < FAR * max(1.0, largest):
        raise InputError(
            f"The file {file} can not be imported: the network read from it differs from what {by} makes of "
            f"the file by {difference:.2g} on the first {len(images)} test digits; {allowed:.2g} is allowed. "
            "Nothing was written. Check the file with onnx.checker; if it is sound, this is a fault of the "
            "import: report it."
        )
    if not difference < allowed:
        talk(
            f"Warning: the file and the network differ by {difference:.2g}, more than {allowed:.2g}: 1e-5, "
            "or that part of the largest output. Sums in single precision may cancel; look at the outputs "
            "before you trust either."
        )
    return {
        "compared_with": by,
        "digits": len(images),
        "dataset": digits.test.provenance.name,
        "preparation": digits.test.provenance.preparation,
        "largest_difference": difference,
        "largest_output": largest,
        "allowed_difference": allowed,
        "agrees": difference < allowed,
    }
