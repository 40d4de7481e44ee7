"""The first method: Graf's chip thins lines and finds features, and a small network learns from these.

DENKER88 and COMM89 describe the method and give figures; templates, thresholds and much else they do not.
What stands in for those is an option or a file, and named in the report. Found figures say what the method
does with these templates on these digits, not what the chip of 1988 did.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.graf54.classifier import HIDDEN_UNITS, train_classifier
from hw_sim.chips.graf54.features import BLOCKS, FRAME, features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import (
    GrafSizes,
    Mismatch,
    TemplateSet,
    currents,
    draw_mismatch,
    graf_sizes,
    load_templates,
)
from hw_sim.chips.spec import ChipSpec
from retronet.datasets.dataset import Dataset, DigitSets, Provenance
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.network import Positive

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
    """What the sources leave open; every default is assumed but those of `inhibition` and `hidden_units`.

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
    hidden_units
        Of the network: 40 (DENKER88).
    """

    black_from: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.0
    inhibition: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 5.0
    thinning: str = "graf-thinning"
    features: str = "graf-features"
    current_deviation: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    offset_deviation: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    chips: Positive = 1
    passes: Positive = 23
    hidden_units: Positive = HIDDEN_UNITS


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


def run_graf(
    chip: ChipSpec, digits: DigitSets, options: GrafOptions | None = None, seed: int = 0, threads: int = 1
) -> GrafReport:
    """Run `digits` through the simulated chip, train the network on its features and score it.

    Parameters
    ----------
    chip
        Its sizes are taken from its description.
    digits
        Training and test digits, white −1 to black +1.
    options
        What the sources leave open; all defaults if absent.
    seed
        Of the initial weights and of the drawn chips.
    threads
        Threads to share the work; they never change a result.

    Raises
    ------
    InputError
        If templates, digits and options do not fit each other or the chip, or the arithmetic can not take a
        size of the chip.
    """
    sizes, chosen = graf_sizes(chip), options or GrafOptions()
    thinning, features = (load_templates(name, sizes) for name in (chosen.thinning, chosen.features))
    if not features.maps:
        raise InputError(f"The templates '{features.name}' make no maps. Give feature templates.")
    bitmaps = DigitSets(
        _dataset(digits.train.images >= chosen.black_from, digits.train),
        _dataset(digits.test.images >= chosen.black_from, digits.test),
        digits.notice,
    )
    train, test = (frames_of(half.images, chosen.black_from) for half in (digits.train, digits.test))
    trained_on, _ = _through_chip(train, thinning, features, chosen, None, threads)
    ideal, scans = _through_chip(test, thinning, features, chosen, None, threads)
    data = DigitSets(_dataset(trained_on, digits.train), _dataset(ideal, digits.test), digits.notice)
    with ThreadPoolExecutor(threads) as pool:
        (record, classifier), (bitmap, _) = pool.map(
            lambda learnt: train_classifier(learnt, chosen.passes, seed, chosen.hidden_units), (data, bitmaps)
        )
    outputs = classifier.outputs(data.test.images)
    drawn = chosen.chips if chosen.current_deviation or chosen.offset_deviation else 0
    chips = []
    for which in range(drawn):
        mismatch = draw_mismatch(
            sizes, chosen.current_deviation, chosen.offset_deviation, np.random.default_rng([seed, which])
        )
        seen, _ = _through_chip(test, thinning, features, chosen, mismatch, threads)
        answers = classifier.outputs(_dataset(seen, digits.test).images)
        chips.append(_compared(which, seen != ideal, answers, outputs, digits.test.labels))
    work = _work(scans, sizes)
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


def graf_answer(
    chip: ChipSpec, digits: DigitSets, options: GrafOptions, seed: int
) -> Callable[[NDArray[np.float32]], NDArray[np.floating]]:
    """Return what answers digits (n, rows, columns) on one chip: outputs (n, classes).

    The network behind the chip learns from the training digits, seen by the ideal chip. The chip that answers
    is the first that `run_graf` draws, or the ideal one where no deviation is given.

    Raises
    ------
    InputError
        As `run_graf`.
    """
    sizes = graf_sizes(chip)
    thinning, features = (load_templates(name, sizes) for name in (options.thinning, options.features))
    seen, _ = _through_chip(
        frames_of(digits.train.images, options.black_from), thinning, features, options, None
    )
    learnt = _dataset(seen, digits.train)
    _, classifier = train_classifier(
        DigitSets(learnt, learnt, None), options.passes, seed, options.hidden_units
    )
    deviations = (options.current_deviation, options.offset_deviation)
    drawn = draw_mismatch(sizes, *deviations, np.random.default_rng([seed, 0])) if any(deviations) else None

    def answer(images: NDArray[np.float32]) -> NDArray[np.floating]:
        frames = frames_of(images, options.black_from)
        values, _ = _through_chip(frames, thinning, features, options, drawn)
        return classifier.outputs(values.astype(np.float32))

    return answer


def _through_chip(
    frames: NDArray[np.uint8],
    thinning: TemplateSet,
    features: TemplateSet,
    options: GrafOptions,
    mismatch: Mismatch | None,
    threads: int = 1,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return features and scans from one chip, the ideal one without mismatch."""
    lines, search = (currents(kind, options.inhibition, mismatch) for kind in (thinning, features))

    def some(frames: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        thin = thinned(frames, lines)
        return features_of(thin.frames, features, search), thin.scans

    with ThreadPoolExecutor(threads) as pool:
        parts, scans = zip(*pool.map(some, np.array_split(frames, threads)), strict=True)
    return np.concatenate(parts), np.concatenate(scans)


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


def _work(scans: NDArray[np.int64], sizes: GrafSizes) -> GrafWork:
    positions = FRAME[0] * FRAME[1]
    mean = float(scans.mean())
    seconds = (mean + 1) * positions * sizes.call_s
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
