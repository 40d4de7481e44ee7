"""Every option that more than one command has, once."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem


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
