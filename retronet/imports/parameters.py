"""Takes a network that was trained elsewhere: fits a file's arrays to the network's parameters.

Names and shapes are those of :func:`retronet.network.parameter_shapes`, such as ``h1.weight`` (12, 1, 5, 5)
and ``h1.bias`` (12, 8, 8); `retronet show network NAME --json` lists them.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.errors import ChoiceError, InputError
from retronet.imports.array_files import read_arrays as read_arrays
from retronet.network import NetworkSpec, parameter_shapes

PREFIXES = ("module.", "_orig_mod.")
"""What torch's DataParallel and compile put before every name."""

KARPATHY = {
    "H1w": "h1.weight", "H1b": "h1.bias", "H2w": "h2.weight", "H2b": "h2.bias",
    "H3w": "h3.weight", "H3b": "h3.bias", "outw": "output.weight", "outb": "output.bias",
}  # fmt: skip
KARPATHY_TURNED = {"H3w", "outw"}
"""The names in model.pt of karpathy/lecun1989-repro (repro.py), and what it stores inputs × units."""

Say = Callable[[str], object]
Shapes = Mapping[str, tuple[int, ...]]


def import_parameters(
    network: NetworkSpec,
    arrays: Mapping[str, NDArray[Any]],
    rename: Mapping[str, str],
    precision: str,
    transpose: Collection[str] = (),
    say: Say = lambda _: None,
) -> dict[str, NDArray[np.floating]]:
    """Return `arrays` as the parameters of `network`.

    Prefixes of torch's wrappers (`PREFIXES`) are left out of names, and a file with the names of the
    well-known re-creation (`KARPATHY`) needs no renaming.

    Parameters
    ----------
    network
        The network they belong to.
    arrays
        What a file holds; arrays that the network has no use for are not allowed.
    rename
        The network's name for each of the file's names that is another.
    precision
        ``float32`` or ``float64``.
    transpose
        Arrays of two axes that the file stores inputs × units, by the file's name or the network's.
    say
        Is told what was resolved without being asked for.

    Raises
    ------
    InputError
        If arrays are missing, left over, of another shape, not real floating numbers or not finite in
        `precision`, all of which the message names; or if two of them would have one name.
    """
    shapes = parameter_shapes(network)
    plain = _without_prefixes(arrays, shapes, say)
    known = _known(plain, rename, shapes)
    renamed = {theirs: rename.get(theirs, rename.get(name, name)) for theirs, name in plain.items()} | known
    _check_renaming(network, plain, renamed, rename, shapes)
    asked = {_find(name, plain, renamed) for name in transpose}
    turned = asked | {
        theirs
        for theirs, ours in known.items()
        if plain[theirs] in KARPATHY_TURNED and arrays[theirs].shape == shapes[ours][::-1]
    }
    if flat := sorted(theirs for theirs in asked if arrays[theirs].ndim != 2):
        raise InputError(
            f"The array '{flat[0]}' has the shape {arrays[flat[0]].shape} and can not be transposed; dense "
            "weights, of two axes, are allowed. Leave it out of --transpose."
        )
    if known:
        more = sorted(plain[theirs] for theirs in turned - asked)
        say(
            f"Recognised arrays of karpathy/lecun1989-repro: {', '.join(plain[theirs] for theirs in known)}"
            f"{'; transposed ' + ' and '.join(more) if more else ''}."
        )
    fitted = {ours: arrays[key].T if key in turned else arrays[key] for key, ours in renamed.items()}
    return _fit(network, shapes, fitted, {ours: theirs for theirs, ours in renamed.items()}, precision)


def _without_prefixes(arrays: Collection[str], shapes: Shapes, say: Say) -> dict[str, str]:
    """Return the file's names, each with what it is without the prefixes of torch's wrappers."""
    shortened: dict[str, str] = {}
    dropped: set[str] = set()
    for theirs in arrays:
        name = theirs
        while name not in shapes and (prefix := next((p for p in PREFIXES if name.startswith(p)), None)):
            name = name.removeprefix(prefix)
            dropped.add(prefix)
        shortened[theirs] = name
    if len(set(shortened.values())) < len(shortened):
        return {theirs: theirs for theirs in arrays}
    if dropped:
        say(f"Read the names without their prefix {' and '.join(repr(each) for each in sorted(dropped))}.")
    return shortened


def _known(plain: Mapping[str, str], rename: Mapping[str, str], shapes: Shapes) -> dict[str, str]:
    """Return the network's names for the arrays of the re-creation that the user has not renamed."""
    if set(plain.values()) != set(KARPATHY) or set(shapes) != set(KARPATHY.values()):
        return {}
    return {key: KARPATHY[name] for key, name in plain.items() if not {key, name} & set(rename)}


def _check_renaming(
    network: NetworkSpec,
    plain: Mapping[str, str],
    renamed: Mapping[str, str],
    rename: Mapping[str, str],
    shapes: Shapes,
) -> None:
    """Refuse names that do not exist, and two arrays of one name."""
    if unknown := sorted(set(rename) - set(plain) - set(plain.values())):
        raise InputError(
            f"The file has no array {' and no '.join(map(repr, unknown))} to rename. It has: "
            f"{', '.join(sorted(plain))}."
        )
    if unknown := sorted(set(rename.values()) - set(shapes)):
        near = get_close_matches(unknown[0], shapes, n=1)
        raise ChoiceError(
            f"The network '{network.name}' has no array '{unknown[0]}' to rename one to."
            f"{f' Did you mean {near[0]!r}?' if near else ''} It has: {', '.join(shapes)}."
        )
    owners: dict[str, list[str]] = {}
    for theirs, ours in renamed.items():
        owners.setdefault(ours, []).append(theirs)
    for ours, theirs_all in owners.items():
        if len(theirs_all) > 1:
            raise InputError(
                f"The arrays {' and '.join(map(repr, theirs_all))} of the file would be '{ours}'; one array "
                "for each name is allowed. Rename them to different names, or leave one out of the file."
            )


def _find(name: str, plain: Mapping[str, str], renamed: Mapping[str, str]) -> str:
    """Return the file's name of the array that --transpose calls by its own or the network's name."""
    for theirs in plain:
        if name in (theirs, plain[theirs], renamed[theirs]):
            return theirs
    raise InputError(
        f"The file has no array '{name}' to transpose. It has: {', '.join(sorted(plain))}; the network's "
        "names are allowed too."
    )


def _fit(
    network: NetworkSpec,
    shapes: Shapes,
    fitted: Mapping[str, NDArray[Any]],
    theirs_of: Mapping[str, str],
    precision: str,
) -> dict[str, NDArray[np.floating]]:
    """Return the arrays that the network needs, or say of all arrays at once what is wrong with them."""
    missing = [name for name in shapes if name not in fitted]
    left = [name for name in fitted if name not in shapes]
    problems, remedies = [], []
    if missing:
        wanted = ", ".join(f"'{name}' {shapes[name]}" for name in missing)
        many = len(missing) > 1
        problems.append(
            f"the array{'s' * many} {wanted} of network '{network.name}' {'are' if many else 'is'} missing"
        )
        remedies += _renames(missing, left, shapes, fitted, theirs_of)
    if left:
        shown = ", ".join(
            f"'{theirs_of[name]}'{f' {fitted[name].shape}' if missing else ''}" for name in left
        )
        problems.append(
            f"{shown} belong{'s' if len(left) == 1 else ''} to nothing in network '{network.name}'"
        )
        if not missing:
            remedies.append(f"Leave {'it' if len(left) == 1 else 'them'} out of the file.")
    taken: dict[str, NDArray[np.floating]] = {}
    for name in shapes:
        if name in fitted:
            said, remedy = _wrong(name, fitted[name], shapes[name], network.name)
            if not said:
                taken[name], said = _converted(name, fitted[name], precision)
                remedy = "Save finite numbers."
            if said:
                problems.append(said)
                remedies.append(remedy)
    if problems:
        raise InputError(
            f"The arrays of the file can not be imported: {'; '.join(problems)}. "
            f"{' '.join(dict.fromkeys(remedies))}"
        )
    return taken


def _renames(
    missing: list[str],
    left: list[str],
    shapes: Shapes,
    fitted: Mapping[str, NDArray[Any]],
    theirs_of: Mapping[str, str],
) -> list[str]:
    """Return the options that would name the missing arrays, where one shape belongs to one array."""
    options: list[str] = []
    for name in missing:
        same = [each for each in left if fitted[each].shape == shapes[name]]
        turned = [
            each for each in left if fitted[each].shape == shapes[name][::-1] and len(shapes[name]) == 2
        ]
        rivals = [other for other in missing if shapes[other] == shapes[name]]
        if len(rivals) == 1 and len(same or turned) == 1:
            options.append(f"--rename {theirs_of[(same or turned)[0]]}={name}")
            if not same:
                options.append(f"--transpose {name}")
    if len([each for each in options if each.startswith("--rename")]) < len(missing):
        example = next((name for name in missing if not any(name in each for each in options)), missing[0])
        options.append(f"--rename THEIRS={example}" + (" and so on" if len(missing) > 1 else ""))
    return [f"Rename with {' '.join(options)}."]


def _wrong(name: str, array: NDArray[Any], shape: tuple[int, ...], network: str) -> tuple[str, str]:
    """Return what is wrong with shape or type of an array, and what to do; nothing where all is well."""
    if array.dtype.kind != "f":
        return (
            f"the array '{name}' holds {array.dtype}; real floating numbers (float16, bfloat16, float32, "
            "float64) are allowed",
            "Save the real values: integer codes times their scale.",
        )
    if array.shape == shape:
        return "", ""
    said = f"the array '{name}' has the shape {array.shape}; network '{network}' needs {shape}"
    if len(shape) == 2 and array.shape == shape[::-1]:
        return (
            said,
            f"Give --transpose {name}, or leave it out if it is there: this is inputs × units turned.",
        )
    return said, "Save it in that shape."


def _converted(name: str, array: NDArray[Any], precision: str) -> tuple[NDArray[np.floating], str]:
    """Return the array in `precision`, and what is wrong with its numbers, if anything is."""
    with np.errstate(all="ignore"):
        converted: NDArray[np.floating] = np.array(array, precision, order="C")
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.count_nonzero(~finite)
        return converted, (
            f"the array '{name}' holds infinite numbers or NaN ({bad:,} of {array.size:,}); finite ones "
            "are needed"
        )
    if not np.isfinite(converted).all():
        return converted, (
            f"the array '{name}' holds {np.abs(array).max():g}, too large for {precision}; at most "
            f"{np.finfo(precision).max:.3g} is allowed"
        )
    return converted, ""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, to say later what was imported."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
