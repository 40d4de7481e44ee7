"""A run's story as one page: digits, network, training, precision, chips, mistakes, what is assumed."""

from html import escape
from typing import TYPE_CHECKING

from retronet.network import sized_layers
from retronet.runs.configuration import ByImport
from retronet.runs.makers import kept_after
from retronet_cli.story import ESTIMATED, RISE, STEP_WORDS, Story
from retronet_cli.views.allocation import bits_table, budget_table, estimate_table
from retronet_cli.views.analysis import answer_table, confusion_table
from retronet_cli.views.costs import COST_ALONE, totals_table
from retronet_cli.views.descriptions import network_table, recipe_table
from retronet_cli.views.origins import assumed_of, made_sentences, network_command, recipe_command
from retronet_cli.views.pages.figures import Picture
from retronet_cli.views.pages.tables import (
    definitions_html,
    digits_html,
    paragraphs_html,
    section_html,
    table_html,
)
from retronet_cli.views.reproduction import finding_table
from retronet_cli.views.scores import curve_table, score_table
from retronet_cli.views.simulation import bounds_of, comparison_table, format_table, layer_work_table
from retronet_cli.views.sweep import sweep_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from retronet.datasets.frame import Frame
    from retronet_cli.pictures.paper import ThemeName

SHOWN = 12


def data_section(story: Story, frame: "Frame") -> str:
    """Return which digits these are, and a few of them."""
    pairs = []
    for half in (story.digits.train, story.digits.test):
        known, size = half.provenance, "×".join(map(str, half.images.shape[1:]))
        pairs += [
            (f"{known.split} digits", f"{len(half.labels):,}, {size} pixels"),
            (f"{known.split}: images, SHA-256", known.images_sha256),
            (f"{known.split}: labels, SHA-256", known.labels_sha256),
        ]
    known = story.digits.test.provenance
    pairs += [("preparation", known.preparation), ("source", known.source), ("licence", known.licence)]
    test = story.digits.test
    some = [(test.images[index], f"{test.labels[index]}") for index in range(min(SHOWN, len(test.labels)))]
    parts = [
        paragraphs_html([story.digits.notice] if story.digits.notice else []),
        definitions_html(pairs, "data-table", f"The digits of {known.name}"),
        "<h3>The first test digits</h3>",
        digits_html(some, frame.low, frame.high),
    ]
    return section_html("data", "The digits", parts, [f"retronet data verify {known.name}"])


def network_section(story: Story, run: str) -> str:
    """Return the network with its counts."""
    network = story.trained.network
    parts = [table_html(network_table(network), "network-table")]
    return section_html("network", "The network", parts, [network_command(story.run, run)])


def training_section(story: Story, run: str, draw: Picture) -> str:
    """Return the learning curve, the scores, and published figures beside them."""
    recipe, name = story.trained.recipe, story.digits.test.provenance.name
    made = story.run.configuration.made
    parts, commands = [paragraphs_html(made_sentences(made))], [f"retronet evaluate {run}"]
    if story.records:
        step, last = kept_after(made), story.records[-1]
        counted = f"Misses: of {last.train.n:,} training and {last.test.n:,} test digits."
        table = curve_table("The learning curve", story.records, step, counted)
        parts.append(table_html(table, "curve-table"))
        commands += [f"retronet show run {run}", f"retronet plot learning {run} -o FILE"]

        def curve(theme: "ThemeName") -> "Figure":
            from retronet_cli.pictures.learning import curve_figure

            return curve_figure({recipe.name: story.records}, story.paper, theme, STEP_WORDS[step])

        beside = " beside points read off the plots of 1989" if story.paper else ""
        words = (
            f"Error rate and loss after each {step}{beside}: {last.test.misses:,} of {last.test.n:,} test "
            f"digits misread after {step} {last.number}."
        )
        parts.append(draw(curve, words))
    parts.append(table_html(score_table(f"Scores on {name}", story.scores), "score-table"))
    if story.findings:
        title = f"Published figures of {recipe.name} beside seed {recipe.seed}"
        caption = "One seed gives no interval; a verdict stands where the figures state a tolerance."
        parts.append(table_html(finding_table(title, story.findings, caption), "paper-table"))
        commands.append(f"retronet reproduce {recipe.name}")
    elif not isinstance(made, ByImport):
        none = f"No figure was published for {recipe.name} as it was run here: none stands beside it."
        parts.append(paragraphs_html([none]))
    title = "Training, beside the paper" if story.findings or story.paper else "Training"
    return section_html("training", title, parts, commands)


def precision_section(story: Story, run: str, bits: str, options: str, draw: Picture) -> str:
    """Return the network on integers, and how the error grows with fewer bits."""
    report, name = story.simulation, story.digits.test.provenance.name
    tables = sweep_tables(
        f"Accuracy against precision on the {report.score.n:,} test digits of {name}",
        story.sweep,
        report.reference,
        "Weights, inputs and states have these bits; sums are exact.",
        None,
    )

    def curve(theme: "ThemeName") -> "Figure":
        from retronet_cli.pictures.precision import bits_figure

        return bits_figure({story.trained.network.name: (story.sweep, report.reference)}, theme)

    least, most = story.sweep[0], story.sweep[-1]
    words = (
        f"Error against bits with 95 % intervals: {least.score.error_percent:.2f} % in {least.point.bits} "
        f"bits, {most.score.error_percent:.2f} % in {most.point.bits}, "
        f"{report.reference.error_percent:.2f} % in floating point."
    )
    formats = table_html(format_table(report.plan, bounds_of(report)), "format-table")
    parts = [
        table_html(comparison_table(f"In {bits}, on the test digits of {name}", report, None), "fixed-table"),
        table_html(layer_work_table(report), "work-table"),
        f"<details><summary>The formats</summary>{formats}</details>",
        *(table_html(table, f"sweep-table{index or ''}") for index, table in enumerate(tables)),
        draw(curve, words),
        paragraphs_html(report.warnings, "Warning."),
    ]
    verbs = (f"simulate {run}{options}", f"sweep {run} --tensors all", f"plot bits {run} -o FILE")
    commands = [f"retronet {verb}" for verb in verbs]
    return section_html("precision", "Precision", parts, commands)


def allocation_section(story: Story, run: str, draw: Picture) -> str:
    """Return how many bits each layer needs."""
    allocation = story.allocation
    if isinstance(allocation, str):
        parts = [paragraphs_html([f"No bits were allocated. {allocation}"])]
        return section_html("allocation", "Bits for each layer", parts, [f"retronet allocate {run}"])
    best, name = allocation.attempts[-1], story.digits.test.provenance.name
    trained = [sized for sized in sized_layers(story.trained.network) if sized.trained]
    weights = {sized.name: story.trained.parameters[f"{sized.name}.weight"].size for sized in trained}
    macs = {sized.name: sized.macs for sized in trained}

    def measured(theme: "ThemeName") -> "Figure":
        from retronet_cli.pictures.precision import allocation_figure

        return allocation_figure({story.trained.network.name: (allocation.estimates, allocation.loss)}, theme)

    judged = [each for each in allocation.estimates if each.verdict != "slight"]
    holds = sum(each.verdict == "holds" for each in judged)
    words = (
        "Rise of the loss by rounding one tensor, predicted from second derivatives and measured: "
        f"{holds} of {len(judged)} predictions hold within a factor of two."
    )
    title = f"Rise of the loss by rounding one tensor, on the {allocation.digits:,} training digits of {name}"
    caption = f"Misses: of {best.score.n:,} test digits."
    fewest = bits_table(f"Fewest weight bits for a rise of {RISE:g} %", best, weights, macs)
    parts = [
        table_html(fewest, "bits-table"),
        table_html(
            budget_table(
                "At this budget: each layer its own bits, and the same for all",
                story.simulation.reference, allocation.loss, [best, *allocation.uniform], caption,
            ),
            "budget-table",
        ),
        table_html(estimate_table(title, allocation.estimates, allocation.loss), "estimate-table"),
        draw(measured, words),
    ]  # fmt: skip
    listed = ",".join(map(str, ESTIMATED))
    commands = [f"retronet {verb} {run} --bits {listed}" for verb in ("allocate", "plot allocation")]
    return section_html("allocation", "Bits for each layer", parts, [commands[0], f"{commands[1]} -o FILE"])


def chips_section(story: Story, run: str, chips: str, draw: Picture) -> str:
    """Return what the chips of the time would take."""
    title = f"{story.trained.network.name} on each chip, modelled for one digit"

    def roofs(theme: "ThemeName") -> "Figure":
        from hw_sim.chips.cost.roofline import roof_of
        from retronet_cli.pictures.chips import roofline_figure

        network = story.trained.network
        pairs = zip(story.chips, story.costs, strict=True)
        drawn = [roof_of(chip, network, report) for chip, report in pairs]
        return roofline_figure(drawn, title, theme)

    fastest = min(story.costs, key=lambda report: report.seconds)
    words = (
        f"What each chip could do at most, and this network on it, modelled: {fastest.chip} has the least "
        f"time, {1e3 * fastest.seconds:.3g} ms for a digit."
    )
    parts = [
        table_html(totals_table(title, story.costs, COST_ALONE), "chips-table"),
        paragraphs_html(story.chips_left_out),
        draw(roofs, words),
    ]
    commands = [f"retronet report {run}{chips}", f"retronet plot roofline {run}{chips} -o FILE"]
    return section_html("chips", "Chips", parts, commands)


def mistakes_section(story: Story, run: str, frame: "Frame") -> str:
    """Return which digits are misread, and as what."""
    analysis, images = story.analysis, story.digits.test.images
    parts = [table_html(confusion_table("Test digits and answers", analysis), "confusion-table")]
    for name, title, answers in (
        ("surest-wrong", "Surest wrong answers", analysis.surest_wrong),
        ("least-sure-right", "Least sure right answers", analysis.least_sure_right),
    ):
        if not answers:
            continue
        table = table_html(answer_table(title, answers), name)
        shown = [(images[each.index], f"no. {each.index}: {each.label} as {each.answer}") for each in answers]
        parts += [
            f"<h3>{title}</h3>",
            digits_html(shown, frame.low, frame.high),
            f"<details><summary>As a table</summary>{table}</details>",
        ]
    return section_html("mistakes", "Mistakes", parts, [f"retronet evaluate {run} --details"])


def assumed_section(story: Story, run: str) -> str:
    """Return what sources leave open, and what stands for it here."""
    network, recipe, made = story.trained.network, story.trained.recipe, story.run.configuration.made
    parts = ["<h3>Of the network</h3>", paragraphs_html(network.assumptions or ["Nothing."])]
    parts += ["<h3>Of the training</h3>", paragraphs_html(assumed_of(made, recipe) or ["Nothing."])]
    if not isinstance(made, ByImport):
        table = table_html(recipe_table(recipe), "recipe-table")
        parts.append(f"<details><summary>The recipe</summary>{table}</details>")
    parts.append("<h3>Of the chips</h3>")
    for report in story.costs:
        said = [f"assumed: {', '.join(report.assumed)}"] * bool(report.assumed)
        said += [f"unknown, left out: {', '.join(report.unknown)}"] * bool(report.unknown)
        parts.append(
            f"<p><strong>{escape(report.chip)}:</strong> {escape('; '.join(said) or 'nothing')}.</p>"
        )
    commands = [network_command(story.run, run), recipe_command(story.run, run)]
    commands += [f"retronet show chip {chip.name}" for chip in story.chips]
    return section_html("assumed", "What is assumed", parts, commands)


CONTENTS = (
    ("data", "Digits"),
    ("network", "Network"),
    ("training", "Training"),
    ("precision", "Precision"),
    ("allocation", "Bits"),
    ("chips", "Chips"),
    ("mistakes", "Mistakes"),
    ("draw", "Draw"),
    ("assumed", "Assumed"),
)


def story_html(
    story: Story, frame: "Frame", pad: str, words: tuple[str, str, str, str], draw: Picture
) -> str:
    """Return the sections of the page.

    Parameters
    ----------
    story
        The records.
    frame
        How a digit lies in what the network reads.
    pad
        The pad: see `retronet_cli.views.pages.pad.pad_part`.
    words
        The run as commands take it, what the integers are called, options that ask for them, and for chips.
    draw
        `picture` or `no_picture`.
    """
    run, bits, options, chips = words
    return "\n".join([
        data_section(story, frame),
        network_section(story, run),
        training_section(story, run, draw),
        precision_section(story, run, bits, options, draw),
        allocation_section(story, run, draw),
        chips_section(story, run, chips, draw),
        mistakes_section(story, run, frame),
        section_html("draw", "Draw a digit", [pad], [f"retronet draw {run}{options} -o FILE"], said="Alone:"),
        assumed_section(story, run),
    ])  # fmt: skip
