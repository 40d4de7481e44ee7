"""What `retronet reproduce --choices` does: rows that differ in one choice, each trained from many seeds."""

from typing import Any

import msgspec

from retronet.studies.choices import chances, choose_choices, differences
from retronet.studies.reproduce import published
from retronet.studies.seeds import SeedResult, spreads
from retronet_cli.forms import Form, give
from retronet_cli.seeds import Where, train_with_bar
from retronet_cli.terminal import print_table, talk

ALL = "all"
"""What names every choice."""


def train_and_print_choices(
    names: str, seeds: tuple[int, ...] | None, where: Where, form: Form, quiet: bool
) -> None:
    """Train the choices called `names`, and print what their seeds give beside the paper's figures.

    Raises
    ------
    InputError
        If there is no such choice.
    """
    from retronet.datasets import load
    from retronet_cli.views.choices import apart_table, chance_table, mean_table
    from retronet_cli.views.quantities import passes_named
    from retronet_cli.views.reproduction import seeds_named

    chosen = choose_choices(() if names == ALL else tuple(names.split(",")))
    if seeds is None:
        seeds = published()[0].chosen_seeds
    results: dict[str, list[SeedResult]] = {}
    loaded: tuple[str, str | None] | None = None
    for choice in chosen:
        recipe = choice.to_recipe()
        if loaded != (recipe.data, recipe.preparation):  # most choices are of the same digits
            loaded = recipe.data, recipe.preparation
            digits = load(*loaded, where.data_dir)
            if digits.notice:
                talk(digits.notice)
        if not quiet:
            talk(f"{choice.name}: {choice.title}; {seeds_named(seeds)}, {passes_named(recipe.passes)}.")
        results[choice.name] = train_with_bar(recipe, digits, seeds, where, quiet)
    over_seeds = {name: spreads(each) for name, each in results.items()}
    counted = {choice.name: chances(choice, results[choice.name]) for choice in chosen}
    parted = differences(results) if len(seeds) > 1 else ()
    if form.given:
        rows: list[dict[str, Any]] = [
            {
                **msgspec.to_builtins(choice),
                "seeds": list(seeds),
                "spread": msgspec.to_builtins(over_seeds[choice.name]),
                "likelihoods": msgspec.to_builtins(counted[choice.name]),
            }
            for choice in chosen
        ]
        told = {"choices": rows, "differences": msgspec.to_builtins(parted)}
        tables = {
            "spread": [
                {"choice": name, "digits": half, "quantity": quantity, **msgspec.to_builtins(each)}
                for name, by_half in over_seeds.items()
                for half, by_quantity in by_half.items()
                for quantity, each in by_quantity.items()
            ],
            "differences": told["differences"],
        }
        give(form, "choices", told, tables)
        return
    print_table(mean_table(chosen, over_seeds))
    if all(counted.values()):
        print_table(chance_table(counted))
    if parted:
        print_table(apart_table(parted))
