"""The errors a user can cause or mend. Programming errors stay ordinary exceptions.

Every message has four beats: what failed, what was found, what is allowed, what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RetronetError(Exception):
    """Base of every error whose message is meant for the user."""


class InputError(RetronetError, ValueError):
    """A file, name or value given by the user can not be used.

    As a ValueError it is completed by its place in the file where it ends the reading of one.
    """


class ChoiceError(InputError):
    """A name or value that the user gave is none of those allowed, whatever the files hold: wrong usage."""


class DataError(RetronetError):
    """A data set is not there, is damaged or is not the one it claims to be."""


class DivergedError(RetronetError):
    """Training left the range of finite numbers."""


class CheckError(RetronetError):
    """A check that the user asked for did not hold."""


def one_line(text: str) -> str:
    """Return `text` without line ends and other marks that are not printed, which names of files may have.

    Bytes of a name that are no text, which Python holds as U+DC80 to U+DCFF, go out as they came in; not
    those that steer some terminals, 0x80 to 0x9F.
    """
    return "".join(mark if mark.isprintable() or "\udca0" <= mark <= "\udcff" else " " for mark in text)


def unknown_name(what: str, found: str, allowed: Iterable[str], see: str) -> ChoiceError:
    """Return the error for a name that is none of `allowed`, with the nearest one suggested.

    Parameters
    ----------
    what
        The kind of thing named, such as ``"network"``.
    found
        The name as given.
    allowed
        The names that exist.
    see
        What to do to see them all, such as ``"retronet show networks"``.
    """
    names = sorted(allowed)
    near = get_close_matches(found, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return ChoiceError(f"There is no {what} '{found}'.{hint} Known: {', '.join(names)}. See `{see}`.")
