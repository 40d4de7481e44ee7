"""Every option that more than one command has, once."""

import math
import os
import re
from collections.abc import Callable, Sequence
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem

from retronet_cli.waiting import QUIET

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
_NUMBERS = re.compile(r"([0-9]{1,30})(?:-([0-9]{1,30}))?")


class NewFile(click.Path):
    """A file that a command is to write: that its folder is not there is said before any work is done."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the path."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}. Make it, or name another.", param, ctx)
        return path


NEW_FILE = NewFile()
SEED = click.IntRange(0, (1 << 63) - 1)
"""What generators are seeded with, and what is written to files, has 63 bits."""
PASSES = click.IntRange(1, 900)
"""Of a rate that halves from pass to pass: a double has no room for many more halvings."""
COUNT = click.IntRange(1, (1 << 31) - 1)
"""How many of something there may be; digits, steps and processes are counted in 32 bits."""
INDEX = click.IntRange(0, (1 << 31) - 1)
"""Of one of so many, from 0."""
MOST_NUMBERS = 100_000
"""Numbers in one list; each is a run, or a row of a table."""


def as_record(kind: type[msgspec.Struct], argument: str, options: Sequence[Decorator]) -> Decorator:
    """Return a decorator that gives a command `options`, which it takes as one record.

    Parameters
    ----------
    kind
        The record; its fields are the parameters of the options. One without an option has a default.
    argument
        The argument of the command that it comes as.
    options
        In the order of the help page.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**given: Any) -> Any:  # noqa: ANN401 - whatever the options are
            fields = {name: given.pop(name) for name in kind.__struct_fields__ if name in given}
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


def _keep_quiet(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> bool:
    ctx.meta[QUIET] = wanted
    return wanted


quiet_option = click.option(
    "-q", "--quiet", is_flag=True, callback=_keep_quiet, help="Print the results only."
)

quiet_remarks_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_keep_quiet,
    help="Print the results only.",
)
"""The same for a command that has nothing else to be quiet about, and takes no argument for it."""

new_run_option = click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the new run.  [default: a new one in the folder of all runs]",
)

force_option = click.option("--force", is_flag=True, help="Overwrite the run that is in the folder.")

run_argument = click.argument(
    "run", required=False, metavar="[RUN]", type=click.Path(file_okay=False, path_type=Path)
)

other_data_option = click.option(
    "--data", metavar="NAME", help="The digits, instead of those the run was trained on."
)

plan_out_option = click.option(
    "--plan-out",
    type=NEW_FILE,
    metavar="FILE",
    help="Write the plan too, a TOML file for --plan of simulate, export, retrain and compare.",
)


def _complete_preparation(
    _ctx: click.Context, _parameter: click.Parameter, typed: str
) -> list[CompletionItem]:
    from retronet.datasets.prepare import PREPARATIONS

    names = dict.fromkeys(name for known in PREPARATIONS.values() for name in known)
    return [CompletionItem(name) for name in names if name.startswith(typed)]


preparation_option = click.option(
    "--preparation",
    metavar="NAME",
    shell_complete=_complete_preparation,
    help="The form of the digits, one of `retronet data list`.  [default: the recipe's, else that of the "
    "size which the network reads]",
)

jobs_option = click.option(
    "--jobs",
    type=COUNT,
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


class Real(click.FloatRange):
    """A number that single precision holds.

    The lowest, if no other is given, is one of which double precision holds a few hundred halvings.
    """

    def __init__(self, lowest: float = 1e-30) -> None:
        super().__init__(lowest, 3.4e38)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the number in `value`; NaN lies in no range, whatever compares it."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers, such as seeds, written as 0-9 or 0,3,5 or 2-6,8."""

    name = "numbers"

    def __init__(self, lowest: int = 0, highest: int = (1 << 63) - 1) -> None:
        self.range = click.IntRange(lowest, highest)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers in `value`, each once."""
        if isinstance(value, tuple):
            return value
        ranges: list[range] = []
        for part in str(value).split(","):
            match = _NUMBERS.fullmatch(part)
            if not match or (match[2] and int(match[1]) > int(match[2])):
                self.fail(f"'{value}' is not a list of numbers; write 0-9 or 0,3,5.", param, ctx)
            ends = [self.range.convert(int(end), param, ctx) for end in match.groups() if end]
            ranges.append(range(ends[0], ends[-1] + 1))
        if sum(map(len, ranges)) > MOST_NUMBERS:
            self.fail(f"'{value}' are too many numbers; {MOST_NUMBERS:,} are allowed.", param, ctx)
        return tuple(dict.fromkeys(chain.from_iterable(ranges)))


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
