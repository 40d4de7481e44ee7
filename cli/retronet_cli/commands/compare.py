"""The command `retronet compare`."""

from functools import partial
from pathlib import Path

import click

from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    INDEX,
    data_dir_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, chosen_plan, precision_options


@click.command(short_help="Show where two plans for one network part.")
@run_argument
@click.option(
    "--plan",
    "plans",
    multiple=True,
    metavar="PLAN",
    help="A plan: a TOML file, or options of `retronet simulate` as words: 'bits=8 scale=mse'. Twice.",
)
@click.option("--worst", type=INDEX, default=3, show_default=True, help="Units a layer to name.")
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def compare(
    run: Path | None,
    plans: tuple[str, ...],
    worst: int,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Show where two plans for one network part.

    RUN is the folder of a run; without it, the latest one. Both plans run bit for bit on the test digits: the
    first layer and the units whose states differ, and the digits to which they answer otherwise. A is the
    first plan, B the second.

    \b
    Examples:
      retronet compare --plan bits=8 --plan bits=4
      retronet compare --plan hls4ml.toml --plan 'bits=8 accumulator-bits=16'
    """
    from hw_sim.fixed_point.ahead import to_simulate_under
    from hw_sim.kernels.layer import run_integer_layer
    from hw_sim.studies.compare import compare as compared
    from retronet_cli.ahead import compile_ahead
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_table, talk, working
    from retronet_cli.views.comparison import (
        changed_answer_table,
        comparison_fields,
        layer_table,
        notes,
        sides_table,
        unit_table,
    )

    if len(plans) != 2:
        raise click.UsageError(f"--plan is needed twice, for the two plans; it was given {len(plans)} times.")
    asked = [_choices(text) for text in plans]
    folder, checkpoint = take_run(run, runs, quiet)
    trained = checkpoint.trained
    makers = [partial(chosen_plan, choices) for choices in asked]
    compile_ahead(run_integer_layer, lambda: to_simulate_under(makers, trained))
    digits = take_digits(checkpoint, data, data_dir)
    first, second = (make(trained, digits.train) for make in makers)
    with working("simulating both plans", enabled=not quiet):
        comparison = compared(trained, digits.test, first, second, worst)
    for name, side in (("A", comparison.first), ("B", comparison.second)):
        for note in notes(name, side):
            talk(f"Warning: {note}")
    name = digits.test.provenance.name
    if form.given:
        told = {"run": str(folder), "dataset": name, "plans": list(plans)}
        made = comparison_fields(comparison)
        tables = {
            "layers": [{key: each[key] for key in each if key != "worst"} for each in made["layers"]],
            "changed_answers": made["changed_answers"],
            "scores": [{"plan": name, **made[name]["score"]} for name in ("a", "b")],
            "units": [{"layer": each["layer"], **unit} for each in made["layers"] for unit in each["worst"]],
        }
        give(form, "comparison", told | made, tables)
        return
    title = f"A: {plans[0]}\nB: {plans[1]}\n{title_of(checkpoint)}, on the test digits of {name}"
    if worst and comparison.parts_at is not None:
        print_table(unit_table(comparison))
    print_table(changed_answer_table(comparison))
    print_table(layer_table(comparison))
    print_table(sides_table(title, ("A", "B"), comparison, digits.notice))


def _choices(text: str) -> Choices:
    """Return a plan's options from its words, or the file."""
    if text.endswith(".toml"):
        return Choices(plan=Path(text))
    words = [field.replace("_", "-") for field in Choices.__struct_fields__ if field != "plan"]
    for word in text.split():
        key, equals, _ = word.partition("=")
        if key not in words or not equals:
            raise click.UsageError(
                f"'{word}' is no word of a plan: {', '.join(words)} are allowed, each with = and a value, "
                "such as bits=8. Write those, or name a TOML file."
            )
    try:
        options = _words.make_context("--plan", [f"--{word}" for word in text.split()])
    except click.UsageError as error:
        raise click.UsageError(f"The plan '{text}' can not be read: {error.format_message()}") from error
    return Choices(**options.params)


@click.command(add_help_option=False)
@precision_options
def _words(choices: Choices) -> None:
    """Say nothing: it stands for the options of a plan, so that words are read as they are."""
    del choices
