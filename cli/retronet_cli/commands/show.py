"""The commands `retronet show …`: the descriptions, read for people."""

from pathlib import Path

import click

from retronet_cli.options import (
    data_dir_option,
    json_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, plan_for, precision_options
from retronet_cli.suggesting import SuggestingGroup


@click.group(cls=SuggestingGroup, short_help="Show recipes, networks and chips, and what they assume.")
def show() -> None:
    """Show recipes, networks and chips, and what they assume."""


@show.command("recipes")
@json_option
def recipes(as_json: bool) -> None:
    """List the recipes."""
    from retronet.recipe import load_recipe, recipe_names

    _list("recipes", {name: load_recipe(name).title for name in recipe_names()}, as_json)


@show.command("networks")
@json_option
def networks(as_json: bool) -> None:
    """List the networks."""
    from retronet.network import load_network, network_names

    _list("networks", {name: load_network(name).title for name in network_names()}, as_json)


@show.command("recipe")
@click.argument("name")
@json_option
def recipe(name: str, as_json: bool) -> None:
    """Show one recipe, a name or a TOML file."""
    import msgspec

    from retronet.recipe import load_recipe
    from retronet_cli.terminal import print_assumptions, print_json, print_table
    from retronet_cli.views.descriptions import recipe_table

    shown = load_recipe(name)
    if as_json:
        print_json("recipe", msgspec.to_builtins(shown))
        return
    print_table(recipe_table(shown))
    print_assumptions(shown.assumptions)


@show.command("network")
@click.argument("name")
@json_option
def network(name: str, as_json: bool) -> None:
    """Show one network with all its counts, a name or a TOML file."""
    import msgspec

    from retronet.network import load_network, parameter_shapes
    from retronet_cli.terminal import print_assumptions, print_json, print_table
    from retronet_cli.views.descriptions import network_counts, network_table

    shown = load_network(name)
    if as_json:
        print_json(
            "network",
            {
                **msgspec.to_builtins(shown),
                "counts": network_counts(shown),
                "arrays": parameter_shapes(shown),
            },
        )
        return
    print_table(network_table(shown))
    print_assumptions(shown.assumptions)


@show.command("plan")
@run_argument
@precision_options
@other_data_option
@data_dir_option
@runs_option
@click.option("--toml", "as_toml", is_flag=True, help="Print a file for --plan.")
@json_option
@quiet_option
def plan(
    run: Path | None,
    choices: Choices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    as_toml: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show the formats that `retronet simulate` would take for a run, with range and step.

    \b
    Examples:
      retronet show plan --bits 6
      retronet show plan --weight-bits 6 --state-bits 3 --toml > mine.toml
      retronet show plan --plan mine.toml
    """
    import msgspec

    from hw_sim.fixed_point.quantize import quantize
    from hw_sim.plan.plan_file import plan_toml
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_json, print_table, stdout, talk
    from retronet_cli.views.simulation import format_table

    folder, checkpoint = take_run(run, runs, quiet)
    trained = checkpoint.trained
    digits = take_digits(checkpoint, data, data_dir)
    shown, _ = plan_for(choices, folder, trained, digits.train, quiet)
    integers = quantize(trained, shown)
    for warning in integers.warnings:
        talk(f"Warning: {warning}")
    if as_toml:
        click.echo(plan_toml(shown), nl=False)
        return
    if as_json:
        rows = [msgspec.to_builtins(row) for row in shown.describe()]
        print_json("plan", {"run": str(folder), "plan": msgspec.to_builtins(shown), "formats": rows})
        return
    stdout.print(title_of(checkpoint), highlight=False)
    print_table(
        format_table(
            shown, {layer.sized.name: (layer.sum_bound, layer.word_bits) for layer in integers.layers}
        )
    )


@show.command("chips")
@json_option
def chips(as_json: bool) -> None:
    """List the chips."""
    from hw_sim.chips.load import chip_names, load_chip

    _list("chips", {name: load_chip(name).title for name in chip_names()}, as_json)


@show.command("chip")
@click.argument("name")
@json_option
def chip(name: str, as_json: bool) -> None:
    """Show one chip, every constant with its standing; a name or a TOML file."""
    from hw_sim.chips.load import load_chip
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.chips import chip_fields, constants_table, facts_table, figures_table

    shown = load_chip(name)
    if as_json:
        print_json("chip", chip_fields(shown))
        return
    print_table(constants_table(shown))
    if shown.facts:
        print_table(facts_table(shown))
    if shown.published:
        print_table(figures_table(shown, name))


def _list(what: str, titles: dict[str, str], as_json: bool) -> None:
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.scores import new_table

    if as_json:
        print_json(what, {what: [{"name": name, "title": title} for name, title in titles.items()]})
        return
    table = new_table(what.capitalize())
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    for name, title in titles.items():
        table.add_row(name, title)
    print_table(table)
