"""What the page of a run tells: every record that the library's verbs make of one run, gathered once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retronet.errors import InputError

if TYPE_CHECKING:
    from hw_sim.chips.cost.network_cost import CostReport
    from hw_sim.chips.spec import ChipSpec
    from hw_sim.fixed_point.simulate import SimulationReport
    from hw_sim.plan.plan import PrecisionPlan
    from hw_sim.studies.allocator import Budget, Estimate
    from hw_sim.studies.points import SweepRow
    from retronet.analyse import Analysis
    from retronet.datasets import DigitSets
    from retronet.evaluate import Score
    from retronet.runs.run import Run
    from retronet.studies.digitised import CurvePoint
    from retronet.studies.reproduce import Finding
    from retronet.trained import Trained
    from retronet.training.train import PassRecord

SWEPT = range(2, 9)
ESTIMATED = (3, 4, 6)
"""Bits at which predicted and measured rises of the loss stand side by side."""
RISE = 25.0
"""Percent, as `retronet allocate` allows by default."""
OTHER_BITS = 12
STEP_WORDS = {"pass": "pass over the training digits", "stage": "stage of pruning"}
"""What records of a run are counted in, by `retronet.runs.makers.kept_after`."""


@dataclass(frozen=True)
class Allocation:
    """What `retronet allocate` finds: see `hw_sim.studies.allocate`."""

    estimates: "list[Estimate]"
    attempts: "list[Budget]"
    uniform: "list[Budget]"
    loss: float
    digits: int


@dataclass(frozen=True)
class Story:
    """A run's records, from digits to chips.

    ``allocation`` is a sentence where there is none. ``findings`` are published figures of the recipe, beside
    this one seed; none where the recipe is another.
    """

    run: "Run"
    trained: "Trained"
    digits: "DigitSets"
    records: "list[PassRecord]"
    scores: "dict[str, Score]"
    analysis: "Analysis"
    findings: "tuple[Finding, ...]"
    paper: "tuple[CurvePoint, ...]"
    plan: "PrecisionPlan"
    simulation: "SimulationReport"
    sweep: "list[SweepRow]"
    allocation: "Allocation | str"
    chips: "list[ChipSpec]"
    costs: "list[CostReport]"
    chips_left_out: "list[str]"


STEPS = 5
"""How often `gather` yields before the end."""


def gather(
    run: "Run",
    trained: "Trained",
    digits: "DigitSets",
    plan: "PrecisionPlan",
    chips: "tuple[list[ChipSpec], list[str]]",
) -> "Iterator[str | Story]":
    """Yield what is being computed, and at last the story; `chips` are those to tell of, and who is not.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """
    from hw_sim.chips.cost.network_cost import cost
    from hw_sim.fixed_point.simulate import simulate
    from hw_sim.studies.sweep import sweep
    from retronet.analyse import analyse
    from retronet.evaluate import score

    yield "answers"
    recipe, scores, analysis = trained.recipe, {}, None
    for half in (digits.train, digits.test):
        outputs = trained.outputs(half.images, recipe.precision)
        scores[half.provenance.split] = score(outputs, half.labels, recipe.targets, recipe.loss)
        analysis = analyse(outputs, half.labels)
    assert analysis is not None
    yield "integers"
    simulation = simulate(trained, digits.test, plan)
    yield "precision"
    rows = list(sweep(trained, digits, SWEPT, other_bits=OTHER_BITS))
    yield "bits of each layer"
    allocation = _allocation(trained, digits)
    yield "chips"
    able, left_out = chips
    costs = [cost(chip, trained.network) for chip in able]
    figures, paper = _published(run, trained)
    yield Story(
        run, trained, digits, list(run.records()), scores, analysis, figures, paper, plan, simulation, rows,
        allocation, able, costs, left_out,
    )  # fmt: skip


def _allocation(trained: "Trained", digits: "DigitSets") -> "Allocation | str":
    from hw_sim.studies.allocate import choose_bits, uniform_budgets
    from hw_sim.studies.allocator import Allocator
    from hw_sim.studies.testbench import Testbench

    try:
        allocator = Allocator(Testbench(trained, digits, OTHER_BITS))
        allowed = RISE / 100 * allocator.float_loss
        estimates = list(allocator.estimates(ESTIMATED))
        attempts = list(choose_bits(allocator, allowed, "weight-bits", range(3, 13), 8))
    except InputError as error:
        return str(error)
    uniform = uniform_budgets(allocator, attempts[-1], "weight-bits", range(2, 13), 8)
    return Allocation(estimates, attempts, uniform, allocator.float_loss, allocator.curvature.digits)


def _published(run: "Run", trained: "Trained") -> "tuple[tuple[Finding, ...], tuple[CurvePoint, ...]]":
    """Return published figures of the run's recipe, if that is what was published but for the seed."""
    from retronet.recipe import load_recipe, override
    from retronet.studies.digitised import digitised_curve
    from retronet.studies.reproduce import findings, published
    from retronet.studies.seeds import SeedResult

    records, recipe = tuple(run.records()), trained.recipe
    for each in published() if records else ():
        if each.recipe != recipe.name:
            continue
        if override(load_recipe(each.recipe), {**each.changes, "seed": recipe.seed}) == recipe:
            result = SeedResult(recipe.seed, str(run.folder), records)
            curve = digitised_curve() if recipe.name == "lecun1989" and run.data_name == "usps" else ()
            return findings(each, [result]), curve
    return (), ()
