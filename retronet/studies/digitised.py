"""The learning curves of the 1989 paper, read off its scanned plots: data, in ``digitised.toml``."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

FILE = Path(__file__).parent / "digitised.toml"


class _Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    number: int
    half_mse: float | None = None
    error_percent: float | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    train: tuple[_Point, ...]
    test: tuple[_Point, ...]


class CurvePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One point of a published curve, good to about ±5 %; what could not be read off is absent.

    ``half_mse`` is ½ (d − y)², averaged over digits and outputs, as in `retronet.evaluate.Score`.
    """

    number: int
    digits: Literal["train", "test"]
    half_mse: float | None
    error_percent: float | None


def digitised_curve() -> tuple[CurvePoint, ...]:
    """Return the points of NC89's learning curves (papers.md §1.5), training digits first."""
    content = msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), _File)
    halves: tuple[tuple[Literal["train", "test"], tuple[_Point, ...]], ...] = (
        ("train", content.train), ("test", content.test),
    )  # fmt: skip
    return tuple(
        CurvePoint(each.number, half, each.half_mse, each.error_percent)
        for half, points in halves
        for each in points
    )
