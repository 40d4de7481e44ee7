"""What commands that write a page have in common: the network in it, and the file."""

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retronet.errors import InputError

if TYPE_CHECKING:
    from hw_sim.plan.plan import PrecisionPlan
    from retronet.datasets import DigitSets
    from retronet.datasets.frame import Frame
    from retronet.runs.checkpoint import Checkpoint
    from retronet_cli.precision import Choices

MOST_BYTES = 2_000_000
"""Of a page: it is to be sent by mail, and to open on a phone."""

page_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The page to write.",
)
force_option = click.option("--force", is_flag=True, help="Write over a file that is there.")


@dataclass(frozen=True)
class Playable:
    """A network as a page runs it: its data, what the integers are called, how a digit lies in its input."""

    network: dict[str, Any]
    bits: str
    frame: "Frame"
    reaches: list[float | None]
    warnings: tuple[str, ...]


def playable(checkpoint: "Checkpoint", digits: "DigitSets", plan: "PrecisionPlan", bits: str) -> Playable:
    """Return the network of a run as a page runs it.

    Raises
    ------
    InputError
        If a page can not hold the network, or not compute it exactly.
    """
    from hw_sim.export.page import page_network
    from hw_sim.fixed_point.quantize import quantize
    from retronet.datasets.catalogue import find_source
    from retronet.datasets.frame import frame_of
    from retronet_cli.views.pages.pad import reaches_of

    trained, provenance = checkpoint.trained, digits.test.provenance
    integers = quantize(trained, plan)
    frame = frame_of(find_source(provenance.name).size, provenance.preparation)
    reaches = reaches_of([layer.sized.activation for layer in integers.layers])
    return Playable(page_network(integers, trained), bits, frame, reaches, integers.warnings)


def bits_of(choices: "Choices", own: bool) -> str:
    """Return what integers are called: by their bits where one number says it all."""
    one = not own and choices.given in ([], ["bits"])
    return f"{choices.bits or 8} bits" if one else "fixed point"


def refuse_existing(path: Path, force: bool) -> None:
    """Refuse to write over a file.

    Raises
    ------
    InputError
        If the file is there and `force` is not set.
    """
    if path.exists() and not force:
        raise InputError(f"The file {path} exists. Name another one, or write over it with --force.")


def write_page(path: Path, page: str, force: bool) -> dict[str, Any]:
    """Write a page, and return what JSON says of it.

    Raises
    ------
    InputError
        If it is too large, or the file is there and `force` is not set.
    """
    from retronet.runs.checkpoint import write_atomically

    content = page.encode()
    if len(content) >= MOST_BYTES:
        raise InputError(
            f"The page {path} would have {len(content):,} bytes; less than {MOST_BYTES:,} are allowed. Take "
            "fewer bits for states or weights, one scale for all maps, or a smaller network."
        )
    refuse_existing(path, force)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return {"file": str(path), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def shown(folder: Path) -> str:
    """Return a run's folder as a page names it: where it lies on this machine is nobody's business."""
    return folder.name if folder.is_absolute() else str(folder)


def command_of(words: list[str], choices: "Choices") -> str:
    """Return a command with the options for formats that were given, quoted for a shell."""
    import msgspec

    given = {name: value for name, value in msgspec.structs.asdict(choices).items() if value is not None}
    options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(["retronet", *words, *options])
