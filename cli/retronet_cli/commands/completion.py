"""The command `retronet completion`."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print what makes a shell complete the words of retronet.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete the words of retronet.

    \b
    Examples:
      retronet completion bash > ~/.local/share/bash-completion/completions/retronet
      retronet completion fish > ~/.config/fish/completions/retronet.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "retronet", "_RETRONET_COMPLETE").source())
