"""Networks and recipes as tables."""

from typing import Any

import msgspec
from rich.table import Table

from retronet.network import NetworkSpec, SizedLayer, sized_layers, total_units
from retronet.recipe import Recipe
from retronet_cli.views.scores import new_table

HEADINGS = {
    "connections": "connec-\ntions",
    "parameters": "para-\nmeters",
    "macs": "MACs",
    "border_macs": "on\nborder",
    "comparisons": "compar-\nisons",
    "additions": "addi-\ntions",
}


def network_counts(network: NetworkSpec) -> dict[str, Any]:
    """Return the derived counts of a network, per layer and in total."""
    rows = [{"name": sized.name, **_counts(sized)} for sized in sized_layers(network)]
    keys = ("units", "connections", "parameters", "macs", "border_macs", "comparisons", "additions")
    return {
        "layers": rows,
        **{key: sum(row[key] for row in rows) for key in keys[1:]},
        "units": total_units(network),
    }


def _counts(sized: SizedLayer) -> dict[str, Any]:
    return {
        "output": sized.output,
        "units": sized.units,
        "fan_in": sized.fan_in,
        "connections": sized.connections,
        "parameters": sized.parameters,
        "macs": sized.macs,
        "border_macs": sized.border_macs,
        "comparisons": sized.comparisons,
        "additions": sized.additions,
    }


def network_table(network: NetworkSpec) -> Table:
    """Return a network with all its counts."""
    total = network_counts(network)
    keys = ["connections", "parameters", "macs", "border_macs"]
    keys += [key for key in ("comparisons", "additions") if total[key]]
    pools = " Comparisons and additions are those of pools, which have no MACs." if len(keys) > 4 else ""
    source = f" Source: {network.source}" if network.source else ""
    caption = f"Units include the input. Connections include the biases, MACs do not.{pools}{source}"
    table = new_table(f"{network.name}: {network.title}", caption)
    table.add_column("layer")
    for heading in ("shape", "units", "fan-in", *(HEADINGS[key] for key in keys)):
        table.add_column(heading, justify="right")
    units = total_units_of_input(network)
    table.add_row("input", _shape(network.input), f"{units:,}", "–", *("–" for _ in keys))
    for sized in sized_layers(network):
        least, most = min(sized.fan_in), max(sized.fan_in)
        table.add_row(
            sized.name,
            _shape(sized.output),
            f"{sized.units:,}",
            f"{least}" if least == most else f"{least}–{most}",
            *(f"{getattr(sized, key):,}" for key in keys),
        )
    table.add_row(
        "total",
        "",
        f"{total['units']:,}",
        "",
        *(f"{total[key]:,}" for key in keys),
        style="bold",
    )
    return table


def total_units_of_input(network: NetworkSpec) -> int:
    """Return the units of the input."""
    planes, rows, columns = network.input
    return planes * rows * columns


def _shape(shape: tuple[int, int, int]) -> str:
    return "×".join(str(size) for size in shape) if shape[1:] != (1, 1) else str(shape[0])


def recipe_summary(recipe: Recipe) -> Table:
    """Return a recipe in a few rows: each part with its values, and what is not set in one."""
    caption = "Each value by the name that --set takes, such as rule.kind: --details"
    table = new_table(f"{recipe.name}: {recipe.title}", _sourced(recipe, caption))
    table.add_column("value", no_wrap=True)
    table.add_column("is")
    parts: dict[str, list[str]] = {}
    unset = []
    for key, value in _flat(msgspec.to_builtins(recipe)):
        part, _, field = key.partition(".")
        if value is None:
            unset.append(key)
        else:
            name = f"{field} " if field not in ("", "kind") else ""
            parts.setdefault(part, []).append(f"{name}{value}")
    for part, values in parts.items():
        table.add_row(part, ", ".join(values))
    if unset:
        table.add_row("not set", ", ".join(unset))
    return table


def _sourced(recipe: Recipe, *further: str) -> str | None:
    """Return the lines below a recipe: its source, where it names one, and what else is said."""
    lines = [f"Source: {recipe.source}"] * bool(recipe.source) + list(further)
    return "\n".join(lines) or None


def recipe_table(recipe: Recipe) -> Table:
    """Return a recipe, one value a row, named as --set takes it."""
    table = new_table(f"{recipe.name}: {recipe.title}", _sourced(recipe))
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
