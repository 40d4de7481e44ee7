"""The small network behind Graf's chip: the only part of the first method that learns."""

from retronet.datasets.dataset import DigitSets
from retronet.network import Dense, NetworkSpec, Tanh
from retronet.recipe import Recipe, SdlmRunning, SquaredError, Uniform
from retronet.schedule import Constant
from retronet.trained import Trained
from retronet.training.train import PassRecord, Training

HIDDEN_UNITS = 40
"""DENKER88."""


def classifier(rows: int, columns: int, hidden_units: int = HIDDEN_UNITS) -> NetworkSpec:
    """Return the network of two layers on `rows` maps of `columns` blocks."""
    activation = Tanh(1.7159, 2 / 3)
    return NetworkSpec(
        name="graf-classifier",
        title=f"The classifier of the first method: two layers, {hidden_units} hidden units",
        input=(1, rows, columns),
        layers=(Dense("hidden", hidden_units, activation), Dense("output", 10, activation)),
        source="DENKER88",
        assumptions=("Squashing: 1.7159 tanh(2a/3), after PIEEE98 App. A; DENKER88 gives none here.",),
    )


def classifier_recipe(passes: int, seed: int) -> Recipe:
    """Return how the classifier is trained."""
    return Recipe(
        name="graf-classifier",
        title="As fc40",
        network="graf-classifier",
        passes=passes,
        rule=SdlmRunning(mu=0.05, gamma=0.05),
        schedule=Constant(5e-4),
        loss=SquaredError("half-sum"),
        initial=Uniform(),
        seed=seed,
    )


def train_classifier(
    digits: DigitSets, passes: int, seed: int, hidden_units: int = HIDDEN_UNITS
) -> tuple[PassRecord, Trained]:
    """Train the classifier; return the record of its last pass and the network."""
    recipe = classifier_recipe(passes, seed)
    rows, columns = digits.train.images.shape[1:]
    network = classifier(rows, columns, hidden_units)
    training = Training(recipe, network, digits)
    (last,) = (record for record in training.run(only_last=True) if isinstance(record, PassRecord))
    return last, Trained(network, training.state().parameters, recipe)
