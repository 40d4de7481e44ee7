"""Digits for a network: in the form that is asked for, else in the one that its input size suggests."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.network import NetworkSpec


def digits_for(
    network: "NetworkSpec", data: str, preparation: str | None, data_dir: Path | None
) -> "tuple[DigitSets, str | None]":
    """Return digits that `network` reads, and the preparation to keep; what was derived is said.

    Parameters
    ----------
    network
        The network.
    data
        A name of `retronet data list`, or auto.
    preparation
        The form of the digits; None derives it from the network's input size.
    data_dir
        The data folder.

    Returns
    -------
    DigitSets, str or None
        The digits; the preparation, or None where it is the usual one of 16×16.

    Raises
    ------
    InputError
        If there is no such preparation, or the network reads another size; the message names those that fit.
    """
    from retronet.datasets import load
    from retronet.datasets.catalogue import find_source
    from retronet.datasets.prepare import preparations_to
    from retronet.engines.forward import check_images
    from retronet.errors import InputError
    from retronet_cli.terminal import remark, talk

    planes, rows, columns = network.input
    size = (rows, columns) if planes == 1 else None
    digits = load(data, preparation, data_dir, size)
    if digits.notice:
        talk(digits.notice)
    chosen = digits.train.provenance.preparation
    known = preparations_to(find_source(digits.train.provenance.name).size, (rows, columns))
    try:
        check_images(network, digits.train.images)
    except InputError as error:
        offered = f" Preparations of that size: {', '.join(known)}." if planes == 1 and known else ""
        raise InputError(f"{error}{offered}") from error
    if preparation is None and size not in (None, (16, 16)):
        others = [name for name in known if name != chosen]
        rest = f"; --preparation takes {' or '.join(others)} instead" if others else ""
        remark(f"The network reads {rows}×{columns}: the digits are prepared as {chosen}{rest}.")
        return digits, chosen
    return digits, preparation
