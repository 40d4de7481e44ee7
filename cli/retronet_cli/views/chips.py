"""A chip as tables: every constant with its standing, what else is known, what was published."""

from typing import Any

import msgspec
from rich.table import Table

from hw_sim.chips.constants import constants
from hw_sim.chips.cost.published import UNIT_OF
from hw_sim.chips.spec import ChipConstant, ChipSpec, Fact
from retronet_cli.views.quantities import of_unit, quantity_range
from retronet_cli.views.scores import new_table


def chip_fields(chip: ChipSpec) -> dict[str, Any]:
    """Return the fields of the JSON object: the file, and every constant once more with unit and standing."""
    rows = [
        {
            "key": row.key,
            "unit": row.unit or None,
            "value": row.constant.value,
            "standing": row.constant.standing,
            "source": row.constant.source or None,
            "reason": row.constant.reason or None,
        }
        for row in constants(chip)
    ]
    return {**msgspec.to_builtins(chip), "constants": rows}


def constants_table(chip: ChipSpec, *, details: bool) -> Table:
    """Return every constant with its unit, and whether it is sourced, assumed or unknown.

    With `details` passages and reasons are in full; without them a source is named alone.
    """
    said = f"Source: {chip.source}"
    if not details:
        facts = f", and what else is known or not ({len(chip.facts)})" * bool(chip.facts)
        said += f"\nPassages and reasons in full{facts}: --details"
    table = new_table(f"{chip.name} ({chip.year}): {chip.title}", said)
    table.add_column("constant", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("where it comes from", overflow="fold")
    before = None
    for row in constants(chip):
        part, _, field = row.key.partition(".")
        if before not in (None, part):
            table.add_section()
        name = row.key if part in ("host", "companion", "energy") else field
        before = part
        standing = _standing(row.constant) if details else _in_short(row.constant)
        table.add_row(name, _value(row.constant, row.unit), standing)
    return table


def _value(constant: ChipConstant, unit: str) -> str:
    if constant.value is None:
        return "–"
    if not unit:
        return "yes" if constant.value else "no"
    return of_unit(constant.value, unit)


def _in_short(known: ChipConstant) -> str:
    """Return the standing, and of a source its name and section alone."""
    if known.source:
        return f"sourced: {known.source.partition(': ')[0]}"
    return "assumed" if known.assumed else "unknown"


def _standing(known: ChipConstant | Fact) -> str:
    if known.source:
        return f"sourced: {known.source}"
    return f"{'assumed' if known.assumed else 'unknown'}: {known.reason}"


def facts_table(chip: ChipSpec) -> Table:
    """Return what else is known of the chip, or known to be unknown."""
    table = new_table("What else is known, and what is not")
    for heading in ("of", "what", "where it comes from"):
        table.add_column(heading)
    for fact in chip.facts:
        table.add_row(fact.what, fact.text or "–", _standing(fact))
    return table


def figures_table(chip: ChipSpec, asked: str) -> Table:
    """Return what was published of the chip, which was asked for as `asked`."""
    caption = f"The model beside these figures: retronet report --chip {asked}"
    table = new_table("Published figures", caption)
    table.add_column("figure")
    table.add_column("published", justify="right")
    table.add_column("source")
    for figure in chip.published:
        published = quantity_range(figure.low, figure.high, UNIT_OF[figure.quantity])
        table.add_row(figure.what, published, figure.source)
    return table
