"""Networks and recipes as tables."""

from typing import Any

import msgspec
from rich.table import Table

from retronet.network import NetworkSpec, Place, places, total_units
from retronet.recipe import Recipe
from retronet_cli.views.scores import new_table


def network_counts(network: NetworkSpec) -> dict[str, Any]:
    """Return the derived counts of a network, per layer and in total."""
    rows = [{"name": place.name, **_counts(place)} for place in places(network)]
    keys = ("units", "connections", "parameters", "macs", "border_macs")
    return {
        "layers": rows,
        **{key: sum(row[key] for row in rows) for key in keys[1:]},
        "units": total_units(network),
    }


def _counts(place: Place) -> dict[str, Any]:
    return {
        "output": place.output,
        "units": place.units,
        "fan_in": place.fan_in,
        "connections": place.connections,
        "parameters": place.parameters,
        "macs": place.macs,
        "border_macs": place.border_macs,
    }


def network_table(network: NetworkSpec) -> Table:
    """Return a network with all its counts."""
    caption = (
        f"Units include the input. Connections include the biases, MACs do not. Source: {network.source}"
    )
    table = new_table(f"{network.name}: {network.title}", caption)
    table.add_column("layer")
    for heading in ("shape", "units", "fan-in", "connec-\ntions", "para-\nmeters", "MACs", "on\nborder"):
        table.add_column(heading, justify="right")
    table.add_row(
        "input", _shape(network.input), f"{total_units_of_input(network):,}", "–", "–", "–", "–", "–"
    )
    for place in places(network):
        least, most = min(place.fan_in), max(place.fan_in)
        table.add_row(
            place.name,
            _shape(place.output),
            f"{place.units:,}",
            f"{least}" if least == most else f"{least}–{most}",
            *(f"{count:,}" for count in (place.connections, place.parameters, place.macs, place.border_macs)),
        )
    total = network_counts(network)
    table.add_row(
        "total",
        "",
        f"{total['units']:,}",
        "",
        *(f"{total[key]:,}" for key in ("connections", "parameters", "macs", "border_macs")),
        style="bold",
    )
    return table


def total_units_of_input(network: NetworkSpec) -> int:
    """Return the units of the input."""
    planes, rows, columns = network.input
    return planes * rows * columns


def _shape(shape: tuple[int, int, int]) -> str:
    return "×".join(str(size) for size in shape) if shape[1:] != (1, 1) else str(shape[0])


def recipe_table(recipe: Recipe) -> Table:
    """Return a recipe, one value a row, named as --set takes it."""
    table = new_table(f"{recipe.name}: {recipe.title}", f"Source: {recipe.source}")
    table.add_column("value")
    table.add_column("is")
    for key, value in _flat(msgspec.to_builtins(recipe)):
        table.add_row(key, str(value))
    return table


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in content.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        elif key not in ("name", "title", "source", "assumptions"):
            rows.append((prefix + key, value))
    return rows
