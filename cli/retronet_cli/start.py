"""Where the program begins and ends, and what Ctrl-C does when.

Before a command runs, and after, it ends the process at once and in a word. In between it raises
KeyboardInterrupt, and again if that was lost in a destructor, where Python only prints it.
"""

try:
    import _thread
    import gc
    import os
    import signal
    import sys
    import time
    from types import FrameType
except KeyboardInterrupt:
    raise SystemExit(130) from None

COLLECT_AFTER = 50_000
"""Objects made, less those that are gone, before Python looks for garbage."""


def main() -> None:
    """Run `retronet`; the entry point of the package."""
    # Where interruptions are ignored, as behind nohup, they stay so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)
    sys.unraisablehook = _raise_again
    # What is imported stays to the end: to look it through for garbage, again and again, takes its time.
    gc.set_threshold(COLLECT_AFTER)
    try:
        from retronet_cli.main import main as run

        run()
    except SystemExit as ended:
        if ended.code == 130:
            # Not by the long way: an interrupted `exec` would make Python end by the signal after all.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(130)
        raise
    finally:
        gc.freeze()


def is_program() -> bool:
    """Return whether this process is the program `retronet`, not another that calls its functions."""
    return sys.unraisablehook is _raise_again


def leave(_number: int, _frame: FrameType | None) -> None:
    """End the process as an interrupted one."""
    os.write(2, b"Interrupted.\n")
    os._exit(130)


def mind_interruptions(whether: bool) -> None:
    """Let Ctrl-C raise KeyboardInterrupt from here on, or end the process at once."""
    now, then = (leave, signal.default_int_handler) if whether else (signal.default_int_handler, leave)
    if is_program() and signal.getsignal(signal.SIGINT) is now:
        signal.signal(signal.SIGINT, then)


def _interrupt_soon() -> None:
    """Interrupt the main thread when it has left the hook, where it would be lost again."""
    time.sleep(0.01)
    _thread.interrupt_main()


def _raise_again(lost: "sys.UnraisableHookArgs") -> None:
    if issubclass(lost.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt_soon, ())
    else:
        sys.__unraisablehook__(lost)
