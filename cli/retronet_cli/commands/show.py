"""The commands `retronet show …`: the descriptions, read for people."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.forms import Form, Rows, form_options, give, settings_of
from retronet_cli.options import (
    data_dir_option,
    other_data_option,
    quiet_option,
    quiet_remarks_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, plan_for, precision_options
from retronet_cli.suggesting import SuggestingGroup

if TYPE_CHECKING:
    import msgspec


SCHEMAS = ("network", "recipe", "chip", "plan")

details_option = click.option("--details", is_flag=True, help="Print all there is, more than a screen.")
toml_option = click.option("--toml", "as_toml", is_flag=True, help="Print a file that reads as the same.")


@click.group(cls=SuggestingGroup, short_help="Show recipes, networks and chips, and what they assume.")
def show() -> None:
    """Show recipes, networks and chips, and what they assume.

    \b
    Examples:
      retronet show network lecun1989
      retronet show chip anna
      retronet show run
    """


@show.command("recipes")
@form_options
@quiet_remarks_option
def recipes(form: Form) -> None:
    """List the recipes.

    \b
    Example:
      retronet show recipes
    """
    from retronet.recipe import load_recipe, recipe_names

    _list("recipes", {name: load_recipe(name).title for name in recipe_names()}, form)


@show.command("networks")
@form_options
@quiet_remarks_option
def networks(form: Form) -> None:
    """List the networks.

    \b
    Example:
      retronet show networks
    """
    from retronet.network import load_network, network_names

    _list("networks", {name: load_network(name).title for name in network_names()}, form)


@show.command("recipe")
@click.argument("name")
@details_option
@toml_option
@form_options
@quiet_remarks_option
def recipe(name: str, details: bool, as_toml: bool, form: Form) -> None:
    """Show one recipe with what it assumes, a name or a TOML file.

    \b
    Examples:
      retronet show recipe lecun1989
      retronet show recipe lecun1989 --details
      retronet show recipe lecun1989 --toml > mine.toml
    """
    import msgspec

    from retronet.recipe import load_recipe
    from retronet_cli.terminal import print_assumptions, print_table
    from retronet_cli.views.descriptions import recipe_summary, recipe_table

    shown = load_recipe(name)
    if as_toml:
        _print_toml(shown)
        return
    if form.given:
        told = msgspec.to_builtins(shown)
        give(form, "recipe", told, {"settings": settings_of(told)})
        return
    print_table(recipe_table(shown) if details else recipe_summary(shown))
    print_assumptions(shown.assumptions)


@show.command("network")
@click.argument("name")
@toml_option
@form_options
@quiet_remarks_option
def network(name: str, as_toml: bool, form: Form) -> None:
    """Show one network with all its counts, a name or a TOML file.

    \b
    Examples:
      retronet show network lecun1989
      retronet show network lecun1989 --toml > mine.toml
      retronet show network ./mine.toml --format csv
    """
    import msgspec

    from retronet.network import load_network, parameter_shapes
    from retronet_cli.terminal import print_assumptions, print_table
    from retronet_cli.views.descriptions import network_counts, network_table

    shown = load_network(name)
    if as_toml:
        _print_toml(shown)
        return
    if form.given:
        counts, arrays = network_counts(shown), parameter_shapes(shown)
        told = {**msgspec.to_builtins(shown), "counts": counts, "arrays": arrays}
        shapes = [{"array": key, "shape": shape} for key, shape in arrays.items()]
        give(form, "network", told, {"layers": counts["layers"], "arrays": shapes})
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
@form_options
@quiet_option
def plan(
    run: Path | None,
    choices: Choices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    as_toml: bool,
    form: Form,
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
    from retronet_cli.terminal import print_table, stdout, talk
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
    if form.given:
        rows = [msgspec.to_builtins(row) for row in shown.describe()]
        told = {"run": str(folder), "plan": msgspec.to_builtins(shown), "formats": rows}
        give(form, "plan", told, {"formats": rows})
        return
    stdout.print(title_of(checkpoint), highlight=False)
    print_table(
        format_table(
            shown, {layer.sized.name: (layer.sum_bound, layer.word_bits) for layer in integers.layers}
        )
    )


@show.command("run")
@run_argument
@runs_option
@form_options
@quiet_option
def show_run(run: Path | None, runs: Path, form: Form, quiet: bool) -> None:
    """Show a run: what made it, from what, and how it went.

    RUN is the folder of a run; without it, the latest one. Its tables: passes, timings, history (of
    --history), configuration.

    \b
    Examples:
      retronet show run
      retronet show run runs/mine --table timings --format csv
    """
    import msgspec

    from retronet.runs.makers import kept_after
    from retronet.runs.run import open_run
    from retronet_cli.runs import take_run
    from retronet_cli.terminal import print_assumptions, print_table
    from retronet_cli.views.origins import assumed_of
    from retronet_cli.views.runs import fields_of, run_table
    from retronet_cli.views.scores import curve_table

    folder, _ = take_run(run, runs, quiet)
    opened = open_run(folder)
    records, told = opened.records(), fields_of(opened)
    if form.given:
        tables: dict[str, Rows] = {
            "passes": records,
            "timings": opened.timings(),
            "history": opened.snapshots(),
            "configuration": settings_of(told["configuration"]),
        }
        give(form, "shown-run", told | {"passes": msgspec.to_builtins(records)}, tables)
        return
    print_assumptions(assumed_of(opened.configuration.made, opened.configuration.recipe))
    if records:
        print_table(curve_table("Learning curve", records, kept_after(opened.configuration.made)))
    print_table(run_table(opened, records))


@show.command("sweep")
@run_argument
@click.option(
    "--rows",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The rows.  [default: sweep.jsonl in the run's folder]",
)
@runs_option
@form_options
@quiet_option
def show_sweep(run: Path | None, rows: Path | None, runs: Path, form: Form, quiet: bool) -> None:
    """Show the rows that sweeps of a run have kept, without measuring any.

    \b
    Examples:
      retronet show sweep
      retronet show sweep runs/mine -o rows.parquet
    """
    import msgspec

    from hw_sim.studies.sweep import read_rows
    from retronet.errors import ChoiceError, InputError
    from retronet_cli.runs import take_run
    from retronet_cli.terminal import print_table
    from retronet_cli.views.runs import row_records, rows_table

    folder, _ = take_run(run, runs, quiet)
    file = rows or folder / "sweep.jsonl"
    kept = read_rows(file)
    if not kept:
        error = InputError if rows is None or rows.is_file() else ChoiceError
        raise error(
            f"The sweep of {folder} can not be shown: {file} has no rows. Measure some first: "
            f"{shlex.join(['retronet', 'sweep', str(folder)])}"
        )
    if form.given:
        told = {"rows_file": str(file), "rows": msgspec.to_builtins(kept)}
        give(form, "sweep-rows", told, {"points": row_records(kept)})
        return
    print_table(rows_table(f"{file}: {len(kept)} rows", kept))


@show.command("chips")
@form_options
@quiet_remarks_option
def chips(form: Form) -> None:
    """List the chips.

    \b
    Example:
      retronet show chips
    """
    from hw_sim.chips.load import chip_names, load_chip

    _list("chips", {name: load_chip(name).title for name in chip_names()}, form)


@show.command("chip")
@click.argument("name")
@details_option
@toml_option
@form_options
@quiet_remarks_option
def chip(name: str, details: bool, as_toml: bool, form: Form) -> None:
    """Show one chip, every constant with its standing; a name or a TOML file.

    \b
    Examples:
      retronet show chip anna
      retronet show chip anna --details
      retronet show chip anna --toml > mine.toml
    """
    from hw_sim.chips.load import load_chip
    from retronet_cli.terminal import print_table
    from retronet_cli.views.chips import chip_fields, constants_table, facts_table, figures_table

    shown = load_chip(name)
    if as_toml:
        _print_toml(shown)
        return
    if form.given:
        told = chip_fields(shown)
        give(form, "chip", told, {key: told[key] for key in ("constants", "published", "facts")})
        return
    print_table(constants_table(shown, details=details))
    if shown.facts and details:
        print_table(facts_table(shown))
    if shown.published:
        print_table(figures_table(shown, name))


@show.command("schema")
@click.argument("kind", type=click.Choice(SCHEMAS), metavar="|".join(SCHEMAS))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors and checkers.

    \b
    Example:
      retronet show schema network > network.schema.json
    """
    import json

    from retronet_cli.views.formats import schema_of

    click.echo(json.dumps(schema_of(kind), indent=2, sort_keys=True))


@show.command("formats")
def formats() -> None:
    """Print the reference of the files that people write, every key of them, as Markdown.

    \b
    Example:
      retronet show formats > formats.md
    """
    from retronet_cli.views.formats import formats_page

    click.echo(formats_page(), nl=False)


def _print_toml(description: "msgspec.Struct") -> None:
    import sys

    from retronet.descriptions import as_toml

    text = as_toml(description)
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        # TOML is UTF-8: elsewhere its escapes keep the file one that is read again.
        text = "".join(mark if mark.isascii() else f"\\U{ord(mark):08x}" for mark in text)
    click.echo(text, nl=False)


def _list(what: str, titles: dict[str, str], form: Form) -> None:
    from retronet_cli.terminal import print_table
    from retronet_cli.views.scores import new_table

    if form.given:
        rows = [{"name": name, "title": title} for name, title in titles.items()]
        give(form, what, {what: rows}, {what: rows})
        return
    table = new_table(what.capitalize())
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    for name, title in titles.items():
        table.add_row(name, title)
    print_table(table)
