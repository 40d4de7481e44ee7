"""The command `retronet`: finds the subcommands, and turns errors into sentences and exit codes.

A new command is a module in `retronet_cli.commands` and a line in `COMMANDS`. Modules are imported when
their command runs, so that help and version answer at once; what is slow to import (numba, torch) belongs
inside the command's function.
"""

import importlib
import shlex
import sys
import traceback
from typing import Any

import click

from retronet.errors import CheckError, ChoiceError, DataError, RetronetError, one_line
from retronet_cli.start import mind_interruptions
from retronet_cli.streams import discard, make_patient
from retronet_cli.suggesting import SuggestingGroup
from retronet_cli.waiting import loading

COMMANDS = {
    # name: (module, attribute, the first sentence of its help)
    "train": ("retronet_cli.commands.train", "train", "Train a network as a recipe says."),
    "resume": (
        "retronet_cli.commands.resume",
        "resume",
        "Go on with a run that was cut off, whatever made it.",
    ),
    "evaluate": ("retronet_cli.commands.evaluate", "evaluate", "Score a trained network on a set of digits."),
    "simulate": (
        "retronet_cli.commands.simulate",
        "simulate",
        "Run a trained network in fixed point, next to itself in floating point.",
    ),
    "read": ("retronet_cli.commands.read", "read", "Read pictures of digits: a digit, a zip code, a page."),
    "codes": (
        "retronet_cli.commands.codes",
        "codes",
        "Score the reading of composed zip codes, by difficulty.",
    ),
    "read-back": (
        "retronet_cli.commands.reading_back",
        "read_back",
        "Check the normaliser: draw test digits large, threshold them, normalise and recognise them.",
    ),
    "rates": ("retronet_cli.commands.rates", "rates", "Find rates that learn, by letting the rate grow."),
    "import": (
        "retronet_cli.commands.importing",
        "import_network",
        "Take a network trained elsewhere, as a run.",
    ),
    "reproduce": (
        "retronet_cli.commands.reproduce",
        "reproduce",
        "Set published figures beside what the recipes give here.",
    ),
    "sweep": (
        "retronet_cli.commands.sweep",
        "sweep",
        "Tabulate accuracy against precision, over a grid of formats.",
    ),
    "allocate": (
        "retronet_cli.commands.allocate",
        "allocate",
        "Find how many bits each layer needs, from second derivatives of the loss.",
    ),
    "report": ("retronet_cli.commands.report", "report", "Model what a network costs on chips."),
    "retrain": (
        "retronet_cli.commands.retrain",
        "retrain",
        "Train on with the quantiser in the loop.",
    ),
    "prune": (
        "retronet_cli.commands.prune",
        "prune",
        "Delete the parameters that the loss depends on least.",
    ),
    "compare": (
        "retronet_cli.commands.compare",
        "compare",
        "Show where two plans for one network part.",
    ),
    "export": (
        "retronet_cli.commands.export",
        "export",
        "Write a network on integers as files for other tools.",
    ),
    "draw": (
        "retronet_cli.commands.draw",
        "draw",
        "Write a page to draw digits on, with a run's network in it.",
    ),
    "plot": (
        "retronet_cli.commands.plot",
        "plot",
        "Draw runs, formats and chips as pictures.",
    ),
    "show": (
        "retronet_cli.commands.show",
        "show",
        "Show recipes, networks and chips, and what they assume.",
    ),
    "data": ("retronet_cli.commands.data", "data", "List, fetch and check the digits; compose zip codes."),
    "completion": (
        "retronet_cli.commands.completion",
        "completion",
        "Print what makes a shell complete the words of retronet.",
    ),
}

FAILED = 1
WRONG_USAGE = 2
NO_DATA = 3
CHECK_FAILED = 4
INTERRUPTED = 130


def exit_code(error: RetronetError) -> int:
    """Return the exit code of an error; 2, wrong usage, is click's own too."""
    match error:
        case ChoiceError():
            return WRONG_USAGE
        case DataError():
            return NO_DATA
        case CheckError():
            return CHECK_FAILED
        case _:
            return FAILED


class Commands(SuggestingGroup):
    """The top of the command tree: imports a command when it is needed, and reports errors."""

    def main(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Run the program on streams that no character and no reader that has gone can stop."""
        make_patient()
        try:
            return super().main(*arguments, **options)
        except BrokenPipeError:
            # All else is caught below: what click itself tried to say was an error of usage.
            discard(sys.stderr)
            sys.exit(WRONG_USAGE)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own
    ) -> click.Context:
        """Return the context, with the command as it was given, for sentences on how to go on.

        Help and versions are printed meanwhile, and may be cut off by their reader.
        """
        command = shlex.join(["retronet", *args])
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError:
            discard(sys.stdout)
            raise click.exceptions.Exit from None
        context.meta["retronet.command"] = command
        return context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, _, short) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run the command; say errors in one sentence and exit with their code."""
        try:
            mind_interruptions(True)
            with loading(ctx):
                return super().invoke(ctx)
        except RetronetError as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            _say(f"Error: {one_line(str(error))}")
            ctx.exit(exit_code(error))
        except BrokenPipeError:
            # Commands write when all is computed: whoever closed the pipe had what they wanted.
            discard(sys.stdout)
            discard(sys.stderr)
        except OSError as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            _say(f"Error: The system refused: {error}. Mend that, or name another place.")
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            _say("Interrupted.")
            ctx.exit(INTERRUPTED)
        finally:
            mind_interruptions(False)


def _say(sentence: str) -> None:
    """Say `sentence` on standard error, if anybody reads that; the exit code says it too."""
    try:
        click.echo(sentence, err=True)
    except BrokenPipeError:
        discard(sys.stderr)


def _print_versions(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    import retronet

    click.echo(f"retronet {retronet.__version__}")
    click.echo(f"Python {sys.version.split()[0]}")
    for package in ("numpy", "numba", "torch"):
        click.echo(f"{package} {version(package)}")
    ctx.exit()


FIRST_HOUR = """\
The 1989 zip-code network, its training and the hardware meant to run it.
The five commands of a first hour:

  retronet train --data digits5k    train it, on digits that come along
  retronet evaluate --details       what it reads, and what it takes for what
  retronet sweep                    how few bits it can do with
  retronet simulate --bits 5        run it on integers of 5 bits, and count
  retronet report                   what it would cost on chips of its time

All commands: retronet --help. Each has examples: retronet train --help.
"""


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions in use and exit.",
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:  # noqa: ARG001 - read where errors are reported
    """Train the 1989 zip-code network and run it on the hardware meant for it.

    Results go to standard output, all else to standard error.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data not available or not the known one, 4 a requested
    check did not hold, 130 interrupted.

    \b
    Example:
      retronet train --data digits5k --passes 5
    """
    if ctx.invoked_subcommand is None:
        click.echo(FIRST_HOUR, nl=False)


def main() -> None:
    """Run `retronet`; the entry point of the package."""
    cli(prog_name="retronet")
