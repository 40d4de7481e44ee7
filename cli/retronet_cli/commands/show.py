"""The commands `retronet show …`: the descriptions, read for people."""

import click

from retronet_cli.options import json_option


@click.group(short_help="Show recipes and networks, and what they assume.")
def show() -> None:
    """Show recipes and networks, and what they assume."""


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
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.descriptions import recipe_table

    found = load_recipe(name)
    if as_json:
        print_json("recipe", msgspec.to_builtins(found))
        return
    print_table(recipe_table(found))
    _print_assumptions(found.assumptions)


@show.command("network")
@click.argument("name")
@json_option
def network(name: str, as_json: bool) -> None:
    """Show one network with all its counts, a name or a TOML file."""
    import msgspec

    from retronet.network import load_network, parameter_shapes
    from retronet_cli.terminal import print_json, print_table
    from retronet_cli.views.descriptions import network_counts, network_table

    found = load_network(name)
    if as_json:
        print_json(
            "network",
            {
                **msgspec.to_builtins(found),
                "counts": network_counts(found),
                "arrays": parameter_shapes(found),
            },
        )
        return
    print_table(network_table(found))
    _print_assumptions(found.assumptions)


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


def _print_assumptions(assumptions: tuple[str, ...]) -> None:
    from rich.text import Text

    from retronet_cli.terminal import stdout

    for text in assumptions:
        stdout.print(Text("Assumed.", style="bold"), text, highlight=False)
