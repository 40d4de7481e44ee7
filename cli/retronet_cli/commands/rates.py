"""The command `retronet rates`."""

from pathlib import Path

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import COUNT, MOST_NUMBERS, Real, data_dir_option, quiet_option


@click.command(short_help="Find rates that learn, by letting the rate grow.")
@click.argument("recipe", default="lecun1989", metavar="[RECIPE]")
@click.option(
    "--from", "lowest", type=Real(), default=1e-5, show_default=True, metavar="RATE", help="First rate."
)
@click.option(
    "--to", "highest", type=Real(), default=10.0, show_default=True, metavar="RATE", help="Last rate."
)
@click.option(
    "--lots", type=click.IntRange(2, MOST_NUMBERS), default=100, show_default=True, help="Number of rates."
)
@click.option("--lot", type=COUNT, default=64, show_default=True, help="Digits learnt at each rate.")
@click.option("--data", metavar="NAME", help="The digits, instead of the recipe's.")
@data_dir_option
@form_options
@quiet_option
def rates(
    recipe: str,
    lowest: float,
    highest: float,
    lots: int,
    lot: int,
    data: str | None,
    data_dir: Path | None,
    form: Form,
    quiet: bool,
) -> None:
    """Find rates that learn, by letting the rate grow.

    Trains from the RECIPE's beginning, a lot of digits at each rate; a good rate lies where the loss falls,
    well below the one where it rises. Nothing is kept.

    \b
    Examples:
      retronet rates
      retronet rates lecun1990 --lots 50
    """
    import msgspec

    from retronet.datasets import load
    from retronet.network import load_network
    from retronet.recipe import load_recipe
    from retronet.training.rate_range import rate_range
    from retronet_cli.ahead import compile_training
    from retronet_cli.compiling import tell_of_compiling
    from retronet_cli.terminal import print_table, progress, talk
    from retronet_cli.views.rates import rate_table

    if not quiet:
        tell_of_compiling()
    chosen_recipe = load_recipe(recipe)
    compile_training(chosen_recipe)
    digits = load(data or chosen_recipe.data, chosen_recipe.preparation, data_dir)
    if digits.notice:
        talk(digits.notice)
    points = []
    with progress(enabled=not quiet) as bar:
        task = bar.add_task("rates", total=lots)
        network = load_network(chosen_recipe.network)
        for point in rate_range(chosen_recipe, network, digits, lowest, highest, lots, lot):
            points.append(point)
            bar.advance(task)
    name = digits.train.provenance.name
    if form.given:
        fields = {"recipe": chosen_recipe.name, "dataset": name, "points": msgspec.to_builtins(points)}
        give(form, "rates", fields, {"points": points})
        return
    best = min(points, key=lambda point: point.loss)
    title = f"{chosen_recipe.name} on {name}: loss while the rate grows, {lot} digits a rate"
    print_table(rate_table(title, points, f"Least loss {best.loss:.4g} at rate {best.rate:.2e}."))
