"""The command `retronet import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet_cli.options import (
    COUNT,
    data_dir_option,
    json_option,
    preparation_option,
    quiet_remarks_option,
    runs_option,
)

if TYPE_CHECKING:
    from retronet.runs.run import Run


@click.command("import", short_help="Take a network trained elsewhere, as a run.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--recipe",
    default="lecun1989",
    show_default=True,
    metavar="NAME",
    help="The recipe that says network, digits, preparation and targets; for an ONNX file, which says its "
    "own network, that of digits and loss, if given.",
)
@click.option("--network", metavar="NAME", help="The network, instead of the recipe's.")
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
@preparation_option
@click.option(
    "--digits",
    type=COUNT,
    default=100,
    show_default=True,
    metavar="N",
    help="Test digits on which an ONNX file and the network read from it are compared.",
)
@click.option(
    "--rename", multiple=True, metavar="THEIRS=OURS", help="The name of an array here. May be given again."
)
@click.option(
    "--transpose",
    multiple=True,
    metavar="NAME",
    help="Dense weights that the file stores inputs × units. May be given again.",
)
@click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the run.  [default: a new one in the folder of all runs]",
)
@runs_option
@data_dir_option
@click.option("--force", is_flag=True, help="Overwrite the run that is in the folder.")
@json_option
@quiet_remarks_option
def import_network(
    file: Path,
    recipe: str,
    network: str | None,
    data: str | None,
    preparation: str | None,
    digits: int,
    rename: tuple[str, ...],
    transpose: tuple[str, ...],
    folder: Path | None,
    runs: Path,
    data_dir: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Take a network trained elsewhere, as a run.

    FILE is an .onnx file, whose network and weights are both taken, or an .npz, .safetensors or torch
    state_dict
    file (.pt, .pth) whose arrays have the names and shapes that `retronet show network NAME --json` lists.
    Nothing in it is executed. The run can be evaluated and simulated like any other.

    An ONNX file is compared with the network read from it on test digits; the network's description is
    network.toml in the folder of the run. Of arrays, the names in model.pt of karpathy/lecun1989-repro are
    known.

    \b
    Examples:
      retronet import lenet.onnx --data mnist
      retronet import weights.npz
      retronet import model.pt --recipe karpathy2022
      retronet import mine.pt --rename fc1.weight=h3.weight --rename fc1.bias=h3.bias --transpose h3.weight
    """
    from retronet.imports.onnx_file import SUFFIX
    from retronet_cli.importing_onnx import import_graph, refuse_options_for_arrays
    from retronet_cli.terminal import print_json, stdout

    compared: dict[str, Any] = {}
    if file.suffix.lower() == SUFFIX:
        refuse_options_for_arrays()
        given = click.get_current_context().get_parameter_source("recipe")
        named = None if given is click.core.ParameterSource.DEFAULT else recipe
        run, compared = import_graph(file, named, data, preparation, digits, (folder, runs, data_dir, force))
    else:
        asked = {"network": network, "data": data, "preparation": preparation}
        run = _import_arrays(file, recipe, asked, rename, transpose, (folder, runs, data_dir, force))
    name = run.configuration.network.name
    if as_json:
        origin = run.configuration.origin
        print_json("import", {"run": str(run.folder), "network": name, "origin": origin, **compared})
        return
    stdout.print(f"Imported {file} as {name}: {run.folder}", soft_wrap=True, highlight=False)
    if compared:
        stdout.print(
            "Outputs differ from {compared_with}'s by {largest_difference:.2g} at most, on {digits:,} test "
            "digits of {dataset} ({preparation}); the largest output is {largest_output:.3g}.".format(
                **compared
            ),
            soft_wrap=True,
            highlight=False,
        )
        stdout.print(f"Its description: {compared['description']}", soft_wrap=True, highlight=False)


def _import_arrays(
    file: Path,
    recipe: str,
    asked: dict[str, str | None],
    rename: tuple[str, ...],
    transpose: tuple[str, ...],
    places: tuple[Path | None, Path, Path | None, bool],
) -> "Run":
    """Make a run of the arrays in a file; `asked` is what takes the place of the recipe's values."""
    from retronet.imports.parameters import file_digest, import_parameters, read_arrays
    from retronet.network import load_network
    from retronet.recipe import load_recipe, override
    from retronet.runs.configuration import ByImport
    from retronet.runs.create import create_run
    from retronet.runs.lock import writing
    from retronet.training.train import TrainingState
    from retronet_cli.digits import digits_for
    from retronet_cli.terminal import remark

    folder, runs, data_dir, force = places
    chosen_recipe = override(
        load_recipe(recipe), {key: value for key, value in asked.items() if value is not None}
    )
    spec = load_network(chosen_recipe.network)
    recognised: list[str] = []

    def say(sentence: str) -> None:
        recognised.append(sentence)
        remark(sentence)

    parameters = import_parameters(
        spec, read_arrays(file, say), _names(rename), chosen_recipe.precision, transpose, say
    )
    digits, preparation = digits_for(spec, chosen_recipe.data, chosen_recipe.preparation, data_dir)
    if preparation is not None:
        chosen_recipe = override(chosen_recipe, {"preparation": preparation})
    turned = tuple(sorted(set(transpose)))
    made = ByImport(file.name, file_digest(file), _names(rename), turned, tuple(recognised))
    run = create_run(chosen_recipe, spec, digits, folder, runs, force, made)
    with writing(run.folder):
        run.check_unchanged()
        run.keep(TrainingState(0, parameters, {}))
    return run


def _names(rename: tuple[str, ...]) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in rename:
        theirs, equals, ours = pair.partition("=")
        if not (theirs and equals and ours):
            raise click.UsageError(f"--rename takes THEIRS=OURS, such as H1w=h1.weight; found '{pair}'.")
        if names.get(theirs, ours) != ours:
            raise click.UsageError(
                f"--rename takes one name for '{theirs}'; found '{names[theirs]}' and '{ours}'. Leave "
                "one out."
            )
        names[theirs] = ours
    return names
