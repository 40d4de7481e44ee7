"""A word while a command loads what it needs, where that takes longer than a person waits gladly.

Light on purpose: it stands before all that is slow to import. Whatever is said or shown first ends it.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

QUIET = "retronet.quiet"
"""Where a command's context keeps whether it was asked to be quiet: see `retronet_cli.options`."""
PATIENCE_S = 1.0
_timers: list[threading.Timer] = []


@contextmanager
def loading(ctx: click.Context) -> Iterator[None]:
    """Say on a terminal, if nothing was said after a second, that something is being loaded."""
    if not sys.stderr.isatty():
        yield
        return
    timer = threading.Timer(PATIENCE_S, _say, [ctx])
    timer.daemon = True
    _timers.append(timer)
    timer.start()
    try:
        yield
    finally:
        end_waiting()


def end_waiting() -> None:
    """Let no word come any more: something is said, or shown."""
    while _timers:
        _timers.pop().cancel()


def _say(ctx: click.Context) -> None:
    if _timers and not ctx.meta.get(QUIET):
        click.echo("Loading …", err=True)
