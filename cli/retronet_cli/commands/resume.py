"""The command `retronet resume`."""

from pathlib import Path

import click

from retronet_cli.options import data_dir_option, json_option, quiet_option


@click.command(short_help="Go on with a run that was cut off, whatever made it.")
@click.argument("run", type=click.Path(file_okay=False, path_type=Path))
@data_dir_option
@json_option
@quiet_option
def resume(run: Path, data_dir: Path | None, as_json: bool, quiet: bool) -> None:
    """Go on with a run that was cut off, whatever made it.

    RUN is the folder of a run of `retronet train`, `retronet retrain` or `retronet prune`; each goes on as it
    was begun, to the same bytes as if it had not stopped, and prints what it would have printed.

    \b
    Examples:
      retronet resume runs/20261122-093001-lecun1989-1a2b3c
    """
    from retronet.runs.configuration import ByImport, ByPruning, ByRetraining
    from retronet.runs.makers import other_maker
    from retronet.runs.run import open_run

    opened = open_run(run)
    match opened.configuration.made:
        case ByImport() as made:
            raise other_maker(run, made)
        case ByRetraining():
            from retronet_cli.commands.retrain import resume_retraining

            resume_retraining(opened, data_dir, as_json, quiet)
        case ByPruning():
            from retronet_cli.commands.prune import resume_pruning

            resume_pruning(opened, data_dir, as_json, quiet)
        case _:
            from retronet_cli.commands.train import resume_training

            resume_training(opened, data_dir, as_json, quiet)
