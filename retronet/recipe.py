"""What a training run is: network, data, rule, loss and everything else that its result depends on.

A recipe is one TOML file. Its kinds are the vocabulary of the sources; what a source leaves open is a value
here, with a sentence among the recipe's assumptions.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from retronet.errors import InputError, unknown_name
from retronet.network import Positive, decode_toml

FOLDER = Path(__file__).parent / "recipes"

Rate = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Sgd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sgd"):
    """Plain stochastic gradient descent, a step after every pattern."""


class SdlmRunning(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sdlm-running"
):
    """Stochastic diagonal Levenberg–Marquardt as SN has it: a running curvature, moved by every pattern.

    The step is ``rate / (mu + curvature)`` times the gradient (papers.md §7.3; SN gbp.c).
    """

    mu: Rate
    gamma: Share


class SdlmBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sdlm-batch"):
    """Stochastic diagonal Levenberg–Marquardt as PIEEE98 App. C has it.

    The curvature is the mean over `patterns` digits, taken before each pass and kept during it.
    """

    mu: Rate
    patterns: Positive


Rule = Sgd | SdlmRunning | SdlmBatch


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"):
    """One rate for all passes."""

    rate: Rate


class Steps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="steps"):
    """Rates with the number of passes each holds for; the last one holds from there on."""

    rates: Annotated[tuple[tuple[Positive, Rate], ...], msgspec.Meta(min_length=1)]


Schedule = Constant | Steps


class SquaredError(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="squared-error"
):
    """Squared distance to the targets: ``half-sum`` is ½ Σ (d − y)², ``mean`` is Σ (d − y)² / outputs."""

    form: Literal["half-sum", "mean"]


class CrossEntropy(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cross-entropy"
):
    """Cross-entropy of the softmax of the outputs."""


Loss = SquaredError | CrossEntropy


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value wanted of the digit's own output, and of all others."""

    on: float = 1.0
    off: float = -1.0


class Uniform(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="uniform"):
    """Weights drawn from ±bound / fan-in, or over its square root.

    `bias` says whether biases are drawn alike and counted in the fan-in (SN's forget-inv) or start at zero.
    """

    bound: Rate = 2.4
    divisor: Literal["fan-in", "root-fan-in"] = "fan-in"
    bias: Literal["drawn", "zero"] = "drawn"


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A training run as its file states it."""

    name: str
    title: str
    network: str
    passes: Positive
    rule: Rule
    schedule: Schedule
    loss: Loss
    initial: Uniform
    data: str = "auto"
    preparation: str | None = None
    targets: Targets = Targets()
    order: Literal["file", "shuffled"] = "file"
    precision: Literal["float32", "float64"] = "float32"
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    source: str = ""
    assumptions: tuple[str, ...] = ()


def rate_of_pass(schedule: Schedule, number: int) -> float:
    """Return the rate of pass `number`, counted from 1."""
    match schedule:
        case Constant(rate=rate):
            return rate
        case Steps(rates=rates):
            left = number
            for passes, rate in rates:
                left -= passes
                if left <= 0:
                    return rate
            return rates[-1][1]


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_recipe(name: str) -> Recipe:
    """Return the recipe called `name`, or the one in the file `name` if that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is none, or its description does not hold together.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        if name.endswith(".toml"):
            raise InputError(f"There is no recipe file '{name}'. Give an existing path or a recipe's name.")
        raise unknown_name("recipe", name, recipe_names(), "retronet show recipes")
    return decode_toml(path, Recipe)


def override(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """Return `recipe` with some values changed, each named by its dotted path, such as ``rule.mu``.

    Raises
    ------
    InputError
        If a path does not exist or a value is not allowed there.
    """
    content = msgspec.to_builtins(recipe)
    for path, value in changes.items():
        *parents, last = path.split(".")
        table = content
        for parent in parents:
            table = table.get(parent) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table:
            raise InputError(
                f"The recipe '{recipe.name}' has no value '{path}'. It has: {', '.join(_paths(content))}."
            )
        table[last] = value
    try:
        return msgspec.convert(content, Recipe)
    except msgspec.ValidationError as error:
        raise InputError(f"The recipe '{recipe.name}' can not be changed so: {error}.") from error


def _paths(content: dict[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in content.items():
        if isinstance(value, dict):
            found += _paths(value, f"{prefix}{key}.")
        elif key not in ("name", "title", "source", "assumptions", "kind"):
            found.append(prefix + key)
    return found
