"""Every option that more than one command has, once."""

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def as_record(kind: type[msgspec.Struct], argument: str, options: Sequence[Decorator]) -> Decorator:
    """Return a decorator that gives a command `options`, which it takes as one record.

    Parameters
    ----------
    kind
        The record; its fields are the parameters of the options.
    argument
        The argument of the command that it comes as.
    options
        In the order of the help page.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**given: Any) -> Any:  # noqa: ANN401 - whatever the options are
            fields = {name: given.pop(name) for name in kind.__struct_fields__}
            return command(**{argument: kind(**fields)}, **given)

        decorated: Command = call
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def _complete_data(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    from retronet.datasets import dataset_names

    return [CompletionItem(name) for name in ["auto", *dataset_names()] if name.startswith(typed)]


data_option = click.option(
    "--data",
    default="auto",
    show_default=True,
    metavar="NAME",
    shell_complete=_complete_data,
    help="The digits, one of `retronet data list`; auto is USPS, or the embedded sample without it.",
)


def complete_chip(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the chips whose names begin as typed."""
    from hw_sim.chips.load import chip_names

    return [CompletionItem(name) for name in chip_names() if name.startswith(typed)]


chips_option = click.option(
    "--chip",
    "chips",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_chip,
    help="A chip of `retronet show chips`, or a TOML file; repeat it for several.  [default: all]",
)

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The data folder.  [default: $RETRONET_DATA_DIR, else the user's cache folder]",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

runs_option = click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    envvar="RETRONET_RUNS_DIR",
    show_default=True,
    show_envvar=True,
    metavar="DIR",
    help="The folder of all runs.",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print the results only.")

run_argument = click.argument(
    "run", required=False, metavar="[RUN]", type=click.Path(file_okay=False, path_type=Path)
)

other_data_option = click.option(
    "--data", metavar="NAME", help="The digits, instead of those the run was trained on."
)

jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="the number of processors",
    metavar="N",
    help="Processes to use; the results are the same for any number.",
)

dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    help="Use the workers of the dask scheduler at ADDRESS instead; they must see the same files.",
)


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers written as 0-9 or 0,3,5 or 2-6,8."""

    name = "numbers"

    def __init__(self, lowest: int = 0, highest: int | None = None) -> None:
        self.range = click.IntRange(lowest, highest)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers in `value`, each once."""
        if isinstance(value, tuple):
            return value
        numbers: list[int] = []
        for part in str(value).split(","):
            first, dash, last = part.partition("-")
            if not first.isdigit() or (dash and not (last.isdigit() and int(first) <= int(last))):
                self.fail(f"'{value}' is not a list of numbers; write 0-9 or 0,3,5.", param, ctx)
            numbers += range(int(first), int(last or first) + 1)
        for number in numbers:
            self.range.convert(number, param, ctx)
        return tuple(dict.fromkeys(numbers))


class Share(click.ParamType[str]):
    """A number of parameters, or a percentage of them."""

    name = "share"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was typed if it is such a number."""
        digits = value.removesuffix("%")
        try:
            number = float(digits) if value.endswith("%") else int(digits)
        except ValueError:
            number = 0
        if not number > 0 or (value.endswith("%") and number > 100):
            self.fail(
                f"'{value}' is no share of the parameters; a number from 1 on, or a percentage up to 100 %, "
                "is allowed. Give for example 1500 or 60%.",
                param,
                ctx,
            )
        return value

    @staticmethod
    def count(value: str, of: int) -> int:
        """Return how many of `of` parameters a share is."""
        return max(1, round(float(value[:-1]) / 100 * of)) if value.endswith("%") else int(value)
