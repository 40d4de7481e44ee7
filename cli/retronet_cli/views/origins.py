"""What made a run, in sentences: what its curve counts, what is assumed, which commands show it again."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from retronet.runs.configuration import ByImport, ByPruning, ByRetraining, ByTraining, Made

if TYPE_CHECKING:
    from retronet.recipe import Recipe
    from retronet.runs.run import Run

RATE = "Rate: {rate:g} in the first pass of learning on, half of it in each that follows."


def made_sentences(made: Made) -> list[str]:
    """Return what a reader of a run's scores has to know of what made it; nothing of plain training."""
    match made:
        case ByTraining():
            return []
        case ByImport(file=file):
            return [f"The network was trained elsewhere and taken from {file}: there is no learning curve."]
        case ByPruning(origin=origin, settings=settings):
            passes = settings["passes"]
            learning = f"{passes} pass{'es' * (passes != 1)} of learning on" if passes else "no learning on"
            return [
                f"The network is that of the run {origin}, with {settings['delete']:,} parameters deleted "
                f"in {settings['stages']:,} stages. A row of the curve is a stage with {learning}; what came "
                "before is the curve of that run."
            ]
        case ByRetraining(origin=origin):
            return [
                f"The network is that of the run {origin}, trained on within number formats. The curve has "
                "the scores of the network on integers, in these formats; all scores in floating point are "
                "of the same weights without casts."
            ]
        case _ as unreachable:
            assert_never(unreachable)


def assumed_of(made: Made, recipe: "Recipe") -> list[str]:
    """Return what is assumed of a run's training: a recipe speaks of its own training alone."""
    match made:
        case ByTraining():
            return list(recipe.assumptions)
        case ByImport():
            return ["How the network was trained is not known here. Its recipe says what scores are made of."]
        case ByPruning(origin=origin, settings=settings):
            own = [RATE.format(rate=settings["rate"])] if settings["passes"] else []
        case ByRetraining(origin=origin, settings=settings):
            own = [RATE.format(rate=settings["rate"])] if settings else []
        case _ as unreachable:
            assert_never(unreachable)
    return own + [f"Of the training before, {origin}. {text}" for text in recipe.assumptions]


def network_command(run: "Run", words: str) -> str:
    """Return the command that shows the network of a run, which commands take as `words`."""
    from retronet.network import load_network, network_names

    network, recipe = run.configuration.network, run.configuration.recipe
    if network.name in network_names() and load_network(network.name) == network:
        return f"retronet show network {network.name}"
    if (run.folder / "network.toml").is_file():
        return f"retronet show network {words}/network.toml"
    if Path(recipe.network).is_file():
        return f"retronet show network {shlex.quote(recipe.network)}"
    return f"retronet show run {words} --json"


def recipe_command(run: "Run", words: str) -> str:
    """Return the command that shows the recipe of a run: of its own, if it is not that of the name."""
    from retronet.recipe import load_recipe, recipe_names

    recipe = run.configuration.recipe
    if recipe.name in recipe_names() and load_recipe(recipe.name) == recipe:
        return f"retronet show recipe {recipe.name}"
    return f"retronet show run {words} --table configuration --format markdown"
