"""Pictures that were read, as tables and JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table

from retronet_cli.views.scores import add_numbers, new_table, optional

if TYPE_CHECKING:
    from retronet.reading.codes import CodeScore
    from retronet.reading.read import ReadPicture


def reading_table(title: str, pictures: "Sequence[tuple[str, ReadPicture]]", least: float, why: str) -> Table:
    """Return a row for every line of every picture."""
    table = new_table(title)
    table.add_column("picture", overflow="fold")
    add_numbers(table, "line")
    table.add_column("digits", overflow="fold")
    add_numbers(table, "least confidence", "rejected")
    for name, picture in pictures:
        for number, (text, line) in enumerate(zip(picture.texts, picture.lines, strict=True), start=1):
            lowest = min(each.confidence for each in line)
            rejected = sum(each.rejected for each in line)
            table.add_row(name, str(number), text, f"{lowest:.3f}", str(rejected))
    turned = any(picture.turned for _, picture in pictures)
    table.caption = (
        f"Rejected, and printed as -: a difference of the two largest outputs below {least:.3f} ({why})."
        + (" Light digits on dark were turned over." if turned else "")
    )
    return table


def digits_table(picture: "ReadPicture") -> Table:
    """Return a row for every digit of one picture."""
    table = new_table("Its digits")
    add_numbers(table, "line", "digit", "confidence", "row", "column", "rows", "columns")
    table.add_column("rejected")
    for number, line in enumerate(picture.lines, start=1):
        for each in line:
            place = map(str, (each.row, each.column, each.rows, each.columns))
            table.add_row(
                str(number),
                str(each.digit),
                f"{each.confidence:.3f}",
                *place,
                "rejected" if each.rejected else "",
            )
    return table


def picture_json(name: str, picture: "ReadPicture") -> dict[str, Any]:
    """Return one picture as JSON has it; rows and columns are in pixels."""
    return {"file": name, "texts": list(picture.texts), **msgspec.to_builtins(picture)}


def digit_records(pictures: "Sequence[tuple[str, ReadPicture]]") -> list[dict[str, Any]]:
    """Return one record a digit: which picture and line it stands in, what it was read as, and where."""
    return [
        {"file": name, "line": number, **msgspec.to_builtins(digit)}
        for name, picture in pictures
        for number, line in enumerate(picture.lines, 1)
        for digit in line
    ]


def codes_table(title: str, scores: "Sequence[CodeScore]") -> Table:
    """Return the errors of strings and digits, one row for each difficulty."""
    table = new_table(
        title, "Errors, with Wilson's intervals. The codes are made up: compare the rows, not the post."
    )
    table.add_column("codes")
    add_numbers(table, "n", "string %", "95 %", "digit %", "95 %", "count wrong")
    for each in scores:
        table.add_row(
            each.difficulty,
            f"{each.codes:,}",
            f"{each.string_error_percent:.1f}",
            f"{each.string_error_percent_low:.1f}–{each.string_error_percent_high:.1f}",
            f"{each.digit_error_percent:.2f}",
            f"{each.digit_error_percent_low:.2f}–{each.digit_error_percent_high:.2f}",
            f"{each.counted_wrong:,}",
        )
    return table


def causes_table(scores: "Sequence[CodeScore]", scanned: bool) -> Table:
    """Return what segmentation, or scanning, costs beside recognition, one row for each difficulty."""
    how = "scanning" if scanned else "segmentation"
    table = new_table(
        f"What recognition and {how} cost",
        f"Direct: a digit of the code is missed when the network gets the data set's own. By {how}: "
        "misread though it would have got those right."
        + ("" if scanned else " NIPS89: half of the substitutions, of other digits."),
    )
    table.add_column("codes")
    add_numbers(table, "misread", "direct", "direct %", f"by {how}", "share of misread %")
    for each in scores:
        share = each.segmentation_share
        table.add_row(
            each.difficulty,
            f"{each.string_misses:,}",
            f"{each.direct_string_misses:,}",
            f"{100 * each.direct_string_misses / each.codes:.1f}",
            f"{each.segmentation_misses:,}",
            optional(None if share is None else 100 * share, ".0f"),
        )
    return table
