"""What a training run is: network, data, rule, loss and everything else that its result depends on.

A recipe is one TOML file. Its kinds are the vocabulary of the sources; what a source leaves open is a value
here, with a sentence among the recipe's assumptions.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from retronet.descriptions import decode_toml, find, names_in
from retronet.errors import ChoiceError, InputError
from retronet.network import Finite, Label, Name, Positive
from retronet.refusals import as_kind
from retronet.schedule import Rate, Schedule, Share

FOLDER = Path(__file__).parent / "recipes"

Decay = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Part = Annotated[float, msgspec.Meta(ge=0, le=0.5)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Sgd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sgd"):
    """Plain stochastic gradient descent, a step after every `batch` patterns, along their mean gradient."""

    batch: Positive = 1


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


class Adam(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="adam"):
    """Adam with the usual constants, a step after every `batch` patterns."""

    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Rate = 1e-8
    batch: Positive = 1


class AdamW(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="adamw"):
    """Adam that also shrinks every parameter by ``rate · decay`` of itself at each step."""

    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Rate = 1e-8
    decay: Rate = 0.01
    batch: Positive = 1


Rule = Sgd | SdlmRunning | SdlmBatch | Adam | AdamW


class SquaredError(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="squared-error"
):
    """Squared distance to the targets: ``half-sum`` is ½ Σ (d − y)², ``mean`` is Σ (d − y)² / outputs."""

    form: Literal["half-sum", "mean"]


class CrossEntropy(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cross-entropy"
):
    """Cross-entropy of the softmax of the outputs."""


class BinaryCrossEntropy(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="binary-cross-entropy"
):
    """Binary cross-entropy of each output of the softmax by itself, their mean."""


class MaximumPosterior(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="maximum-posterior"
):
    """The penalty of the right class against all others: ``y_d + log(e^-j + Σ e^-y_i)`` (PIEEE98 eq. 9).

    The penalties y are the distances to the codes: the outputs of an Rbf layer with their sign turned.
    """

    j: Finite


Loss = SquaredError | CrossEntropy | BinaryCrossEntropy | MaximumPosterior


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value wanted of the digit's own output, and of all others; for squared errors only."""

    on: Finite = 1.0
    off: Finite = -1.0


BiasStart = Literal["zero", "output-minus-one"]
"""``output-minus-one``: zero but for the last layer, whose targets are nearly all −1."""


class Uniform(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="uniform"):
    """Weights drawn from ±bound / fan-in, or over its square root.

    The divisor ``dense-outputs`` is the fan-in, but in dense layers the number of outputs, a slip of one
    re-creation. Biases that are ``drawn`` are drawn alike and counted in the fan-in (SN's forget-inv).
    `coefficient` is where every subsampling coefficient starts; they are drawn like weights if absent.
    """

    bound: Rate = 2.4
    divisor: Literal["fan-in", "root-fan-in", "dense-outputs"] = "fan-in"
    bias: Literal["drawn"] | BiasStart = "drawn"
    coefficient: Finite | None = None


class TorchUniform(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="torch-uniform"
):
    """Weights ``(rand − ½) · 2 · bound / √fan-in`` from torch's own generator: karpathy2022's very numbers.

    Dense weights are drawn inputs first, as that re-creation keeps them. At another precision torch draws
    other numbers.
    """

    bound: Rate = 2.4
    bias: BiasStart = "zero"
    precision: Literal["float32", "float64"] = "float32"


class HeLecun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="he-lecun"):
    """Uniform in ±√(6/fan-in) for convolutions, normal of variance 1/fan-in, cut at ±2σ, for dense layers.

    These are the initialisers of chang2022: Flax's he_uniform and lecun_normal.
    """

    bias: BiasStart = "zero"


Initial = Uniform | TorchUniform | HeLecun


class Dropout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At each presentation a `share` of a layer's units is silenced; the others grow by 1/(1 − share)."""

    layer: Name
    share: Annotated[float, msgspec.Meta(gt=0, lt=1)]


class Holdout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training digits kept for validation: the first `digits` of a permutation of all of them.

    The permutation is that of numpy's legacy generator, as train_test_split of scikit-learn draws it; the
    other digits follow in its order.
    """

    digits: Positive
    seed: Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)]


class Distortion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Distorted copies of the digits that are learnt, as in PIEEE98 §III; that they are affine is assumed.

    Each of a digit's `copies` is drawn once for the whole run: a shift of up to `shift` pixels down and
    across, a change of size by up to the share `scale`, a `squeeze` by up to that share along one axis and a
    stretch along the other, a slant of up to `shear` pixels across for each pixel down. With `each_pass`
    ``one`` a pass presents every digit once, as itself or as one of its copies, each in its turn; with
    ``all`` it presents all digits, then the first copies of all, and so on. Beyond a picture lies the least
    value of the digits that are learnt.
    """

    copies: Annotated[int, msgspec.Meta(ge=1, le=9999)]
    shift: Annotated[float, msgspec.Meta(ge=0, le=16)] = 0.0
    scale: Part = 0.0
    squeeze: Part = 0.0
    shear: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    each_pass: Literal["one", "all"] = "one"

    def __post_init__(self) -> None:
        """Refuse copies that are the digits themselves; msgspec turns the error into its own."""
        if not any((self.shift, self.scale, self.squeeze, self.shear)):
            raise ValueError(
                "`shift`, `scale`, `squeeze` and `shear` are all 0, so that the copies are the digits again; "
                "one of them has to be above 0"
            )


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A training run as its file states it.

    `take` keeps only the first training digits. With a `roll` each presentation is shifted by up to so many
    pixels down and across, what leaves at one side coming back at the other. `patience` ends training when
    the loss on the held-out digits has not fallen for so many passes.
    """

    name: Label
    title: str
    network: str
    passes: Positive
    rule: Rule
    schedule: Schedule
    loss: Loss
    initial: Initial
    data: str = "auto"
    preparation: str | None = None
    take: Positive | None = None
    holdout: Holdout | None = None
    targets: Targets = Targets()
    order: Literal["file", "shuffled"] = "file"
    roll: Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)] = 0
    distortion: Distortion | None = None
    dropout: Dropout | None = None
    patience: Positive | None = None
    precision: Literal["float32", "float64"] = "float32"
    engine: Literal["numba", "torch", "torch-cuda"] = "numba"
    seed: Seed = 0
    source: str = ""
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what does not hold together; msgspec turns the error into its own."""
        if self.patience and not self.holdout:
            raise ValueError("`patience` needs digits to watch: give `holdout` too")


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return names_in(FOLDER)


def load_recipe(name: str) -> Recipe:
    """Return the recipe called `name`, or the one in the file `name` if that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is none, or its description does not hold together.
    """
    return decode_toml(find("recipe", name, FOLDER), Recipe)


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
            raise ChoiceError(
                f"The recipe '{recipe.name}' has no value '{path}'. It has: {', '.join(_paths(content))}."
            )
        table[last] = value
    try:
        return as_kind(content, Recipe)
    except InputError as error:
        raise ChoiceError(
            f"The recipe '{recipe.name}' can not be changed so: {error}. Give an allowed value."
        ) from error


def _paths(content: dict[str, Any], prefix: str = "") -> list[str]:
    paths: list[str] = []
    for key, value in content.items():
        if isinstance(value, dict):
            paths += _paths(value, f"{prefix}{key}.")
        elif key not in ("name", "title", "source", "assumptions", "kind"):
            paths.append(prefix + key)
    return paths
