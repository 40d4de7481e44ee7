"""The first method: Graf's chip thins lines and finds features, and a small network learns from these.

DENKER88 and COMM89 describe the method and give figures; templates, thresholds and much else they do not.
What stands in for those is an option or a file, and named in the report. Found figures say what the method
does with these templates on these digits, not what the chip of 1988 did.
"""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.graf54.features import BLOCKS, FRAME, features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import Mismatch, TemplateSet, currents, draw_mismatch, load_templates
from hw_sim.chips.spec import NeuronArray, load_chip
from retronet.datasets.dataset import Dataset, DigitSets, Provenance
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.network import Dense, NetworkSpec, Positive, Tanh
from retronet.recipe import Recipe, SdlmRunning, SquaredError, Uniform
from retronet.schedule import Constant
from retronet.training.train import PassRecord, Training

HIDDEN_UNITS = 40
"""DENKER88."""

ASSUMPTIONS = (
    "Digits: those of the data set named, in grey; those of 1988 were others, and black and white.",
    "Black: grey values from 'black_from' on, after interpolating between pixels.",
    "Place in the frame: as large as fits, in the middle.",
    "Thinning: every scan reads the picture as the scan before left it, until nothing changes.",
    "Blocks: 5 × 3 of nearly equal size; 1 where the feature is anywhere inside, else 0.",
    "Network: squared error, rule, rate and initial weights of the recipe fc40. The one-sided objective of "
    "DENKER88 is not known closely enough to be repeated.",
    "Comparators: set half an excitatory current below a template's threshold.",
    "Mismatch: normal, one draw for each connection and comparator; the deviations are not known.",
)


class GrafOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sources leave open; every default is assumed but that of `inhibition`.

    Attributes
    ----------
    black_from
        The least grey value that counts as black, white −1 to black +1.
    inhibition
        Inhibitory over excitatory current, b: 5 as templates are written (DENKER88), about 6 in the currents
        of the chip (GRAF87).
    thinning, features
        Templates: names, or paths that end in ``.toml``.
    current_deviation
        Standard deviation of a connection's current, relative to it.
    offset_deviation
        Standard deviation of a comparator's offset, in excitatory currents.
    chips
        Chips drawn with these deviations; none is drawn where both are 0.
    passes
        Of the network over the training digits.
    """

    black_from: float = 0.0
    inhibition: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    thinning: str = "graf-thinning"
    features: str = "graf-features"
    current_deviation: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    offset_deviation: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    chips: Positive = 1
    passes: Positive = 23


class GrafWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls of the ideal chip for one test digit, the mean where it varies.

    A call compares all templates with one place. A scan is a call at each of the frame's 640 places. The
    modelled rate counts calls alone, at the chip file's time for one.
    """

    scans: float
    most_scans: int
    thinning_calls: float
    feature_calls: int
    modelled_chip_s: float
    modelled_images_per_s: float


class GrafChip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One drawn chip before the network that was trained behind the ideal one."""

    chip: int
    differing_features_percent: float
    differing_answers: int
    test: Score


class GrafFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure beside the found one; equal ends are one number, an absent one is open.

    ``low`` and ``high`` hold the found figure with 95 %, where an interval can be given.
    """

    what: str
    source: str
    published_low: float | None
    published_high: float | None
    found: float
    low: float | None = None
    high: float | None = None


class GrafReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first method gives on a data set.

    ``train`` and ``test`` are of the network behind the ideal chip, ``bitmap_test`` of the same network on
    the black and white pixels themselves.
    """

    options: GrafOptions
    seed: int
    data: Provenance
    thinning_templates: int
    feature_templates: int
    maps: int
    inputs: int
    train: Score
    test: Score
    bitmap_test: Score
    chips: tuple[GrafChip, ...]
    work: GrafWork
    figures: tuple[GrafFigure, ...]
    standing: tuple[str, ...]
    assumptions: tuple[str, ...] = ASSUMPTIONS


def run_graf(digits: DigitSets, options: GrafOptions | None = None, seed: int = 0) -> GrafReport:
    """Run `digits` through the simulated chip, train the network on its features and score it.

    Parameters
    ----------
    digits
        Training and test digits, white −1 to black +1.
    options
        What the sources leave open; all defaults if absent.
    seed
        Of the initial weights and of the drawn chips.

    Raises
    ------
    InputError
        If templates, digits and options do not fit each other.
    """
    chosen = options or GrafOptions()
    thinning, features = load_templates(chosen.thinning), load_templates(chosen.features)
    if not features.maps:
        raise InputError(f"The templates '{features.name}' make no maps. Give feature templates.")
    train, test = (frames_of(half.images, chosen.black_from) for half in (digits.train, digits.test))
    trained_on, _ = _through_chip(train, thinning, features, chosen, None)
    ideal, scans = _through_chip(test, thinning, features, chosen, None)
    data = DigitSets(_dataset(trained_on, digits.train), _dataset(ideal, digits.test), digits.notice)
    record, training = _train(data, chosen.passes, seed)
    outputs = _outputs(training, data.test)
    drawn = chosen.chips if chosen.current_deviation or chosen.offset_deviation else 0
    chips = []
    for chip in range(drawn):
        mismatch = draw_mismatch(
            chosen.current_deviation, chosen.offset_deviation, np.random.default_rng([seed, chip])
        )
        found, _ = _through_chip(test, thinning, features, chosen, mismatch)
        answers = _outputs(training, _dataset(found, digits.test))
        chips.append(_compared(chip, found != ideal, answers, outputs, digits.test.labels))
    bitmaps = DigitSets(
        _dataset(digits.train.images >= chosen.black_from, digits.train),
        _dataset(digits.test.images >= chosen.black_from, digits.test),
        digits.notice,
    )
    bitmap, _ = _train(bitmaps, chosen.passes, seed)
    work = _work(scans)
    return GrafReport(
        options=chosen,
        seed=seed,
        data=digits.test.provenance,
        thinning_templates=len(thinning.templates),
        feature_templates=len(features.templates),
        maps=len(features.maps),
        inputs=len(features.maps) * BLOCKS[0] * BLOCKS[1],
        train=record.train,
        test=record.test,
        bitmap_test=bitmap.test,
        chips=tuple(chips),
        work=work,
        figures=_figures(record.test, bitmap.test, work),
        standing=(f"{thinning.name}: {thinning.standing}", f"{features.name}: {features.standing}"),
    )


def classifier(rows: int, columns: int) -> NetworkSpec:
    """Return the network of two layers, 40 hidden units, on `rows` maps of `columns` blocks."""
    activation = Tanh(1.7159, 2 / 3)
    return NetworkSpec(
        name="graf-classifier",
        title="The classifier of the first method: two layers, 40 hidden units",
        input=(1, rows, columns),
        layers=(Dense("hidden", HIDDEN_UNITS, activation), Dense("output", 10, activation)),
        source="DENKER88",
        assumptions=("Squashing: 1.7159 tanh(2a/3), after PIEEE98 App. A; DENKER88 gives none here.",),
    )


def _through_chip(
    frames: NDArray[np.uint8],
    thinning: TemplateSet,
    features: TemplateSet,
    options: GrafOptions,
    mismatch: Mismatch | None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return features and scans from one chip, the ideal one without mismatch."""
    thin = thinned(frames, currents(thinning, options.inhibition, mismatch))
    search = currents(features, options.inhibition, mismatch)
    return features_of(thin.frames, features, search), thin.scans


def _compared(
    chip: int,
    differing: NDArray[np.bool_],
    answers: NDArray[np.floating],
    ideal: NDArray[np.floating],
    labels: NDArray[np.uint8],
) -> GrafChip:
    """Return a drawn chip beside the ideal one, given both outputs and the features in which they differ."""
    return GrafChip(
        chip=chip,
        differing_features_percent=100 * float(differing.mean()),
        differing_answers=int(np.count_nonzero(answers.argmax(1) != ideal.argmax(1))),
        test=score(answers, labels),
    )


def _dataset(values: NDArray[np.uint8] | NDArray[np.bool_], of: Dataset) -> Dataset:
    return Dataset(values.astype(np.float32), of.labels, of.provenance)


def _train(digits: DigitSets, passes: int, seed: int) -> tuple[PassRecord, Training]:
    """Train the classifier; return its last pass and the training itself."""
    recipe = Recipe(
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
    training = Training(recipe, classifier(*digits.train.images.shape[1:]), digits)
    last = [record for record in training.run() if isinstance(record, PassRecord)][-1]
    return last, training


def _outputs(training: Training, digits: Dataset) -> NDArray[np.floating]:
    states = layer_states(training.network, training.state().parameters, digits.images)
    return states["output"].reshape(len(digits.images), -1)


def _work(scans: NDArray[np.int64]) -> GrafWork:
    engine = load_chip("graf54").engine
    assert isinstance(engine, NeuronArray)
    call_s = (engine.cycle_s.value or 0.0) * (engine.cycles_per_call.value or 0.0)
    positions = FRAME[0] * FRAME[1]
    mean = float(scans.mean())
    seconds = (mean + 1) * positions * call_s
    return GrafWork(mean, int(scans.max()), mean * positions, positions, seconds, 1 / seconds)


def _figures(test: Score, bitmap: Score, work: GrafWork) -> tuple[GrafFigure, ...]:
    error = (test.error_percent, test.error_percent_low, test.error_percent_high)
    reject = test.reject_percent_at_1_percent_error
    ratio = bitmap.misses / max(test.misses, 1)
    return (
        GrafFigure("error without rejects, %", "DENKER88: about 6, other digits", 6, 6, *error),
        GrafFigure("rejects for 1 % error, %", "DENKER88, other digits", 14, 14, reject),
        GrafFigure("rejects for 1 % error, %", "COMM89 (abstract): about 12–13", 12, 13, reject),
        GrafFigure("error on pixels over that on features", "DENKER88: at least 5", 5, None, ratio),
        GrafFigure(
            "characters/s, chip alone (modelled)",
            "COMM89 (abstract): about 100",
            100,
            100,
            work.modelled_images_per_s,
        ),
    )
