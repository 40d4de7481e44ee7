"""The command `retronet import`."""

from pathlib import Path

import click

from retronet_cli.options import data_dir_option, json_option, runs_option


@click.command("import", short_help="Take a network trained elsewhere, as a run.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--recipe",
    default="lecun1989",
    show_default=True,
    metavar="NAME",
    help="The recipe that says network, digits, preparation and targets.",
)
@click.option("--network", metavar="NAME", help="The network, instead of the recipe's.")
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
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
def import_network(
    file: Path,
    recipe: str,
    network: str | None,
    data: str | None,
    rename: tuple[str, ...],
    transpose: tuple[str, ...],
    folder: Path | None,
    runs: Path,
    data_dir: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Take a network trained elsewhere, as a run.

    FILE is an .npz, .safetensors or torch state_dict file (.pt, .pth, read without executing anything) whose
    arrays have the names and shapes that `retronet show network NAME --json` lists. The run can be evaluated
    and simulated like any other. The names in model.pt of karpathy/lecun1989-repro are known.

    \b
    Examples:
      retronet import weights.npz
      retronet import model.pt --recipe karpathy2022
      retronet import mine.pt --rename fc1.weight=h3.weight --rename fc1.bias=h3.bias --transpose h3.weight
    """
    from retronet.datasets import load
    from retronet.engines.forward import check_images
    from retronet.imports.parameters import file_digest, import_parameters, read_arrays
    from retronet.network import load_network
    from retronet.recipe import load_recipe, override
    from retronet.runs.configuration import ByImport
    from retronet.runs.create import create_run
    from retronet.runs.lock import writing
    from retronet.training.train import TrainingState
    from retronet_cli.terminal import print_json, stdout, talk

    chosen = {"network": network, "data": data}
    chosen_recipe = override(
        load_recipe(recipe), {key: value for key, value in chosen.items() if value is not None}
    )
    spec = load_network(chosen_recipe.network)
    recognised: list[str] = []

    def say(sentence: str) -> None:
        recognised.append(sentence)
        talk(sentence)

    parameters = import_parameters(
        spec, read_arrays(file, say), _names(rename), chosen_recipe.precision, transpose, say
    )
    digits = load(chosen_recipe.data, chosen_recipe.preparation, data_dir)
    check_images(spec, digits.train.images)
    if digits.notice:
        talk(digits.notice)
    turned = tuple(sorted(set(transpose)))
    made = ByImport(file.name, file_digest(file), _names(rename), turned, tuple(recognised))
    run = create_run(chosen_recipe, spec, digits, folder, runs, force, made)
    with writing(run.folder):
        run.check_unchanged()
        run.keep(TrainingState(0, parameters, {}))
    if as_json:
        origin = run.configuration.origin
        print_json("import", {"run": str(run.folder), "network": spec.name, "origin": origin})
    else:
        stdout.print(f"Imported {file} as {spec.name}: {run.folder}", soft_wrap=True, highlight=False)


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
