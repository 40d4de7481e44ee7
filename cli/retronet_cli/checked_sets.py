"""Data sets whose content was checked: what came out, and how it is told."""

from dataclasses import dataclass
from pathlib import Path

from retronet.errors import DataError
from retronet_cli.forms import Form, give


@dataclass(frozen=True)
class Checked:
    """A data set's digests by split and array, or what is wrong with it."""

    name: str
    sha256: dict[str, dict[str, str]] | None = None
    problem: DataError | None = None


def checked(name: str, folder: Path, download: bool, quiet: bool) -> Checked:
    """Return the digests of the data set `name`, fetched if it may be, or what is wrong with it."""
    from retronet.datasets.catalogue import find_source
    from retronet_cli.terminal import working

    source = find_source(name)
    try:
        with working(f"{'fetching and ' if download else ''}checking {name}", enabled=not quiet):
            train, test = source.read(folder, download)
    except DataError as error:
        return Checked(name, problem=error)
    digests = {
        split: {"images": raw.images_sha256, "labels": raw.labels_sha256}
        for split, raw in (("train", train), ("test", test))
    }
    return Checked(name, digests)


def report_checked(schema: str, folder: Path, sets: list[Checked], form: Form) -> None:
    """Print what was found; raise the problems, if there are any, as one error."""
    from retronet_cli.terminal import print_table
    from retronet_cli.views.scores import new_table

    good = [(each.name, each.sha256) for each in sets if each.sha256 is not None]
    problems = [each.problem for each in sets if each.problem is not None]
    if form.given:
        rows = [
            {"name": each.name, "sha256": each.sha256, "problem": each.problem and str(each.problem)}
            for each in sets
        ]
        digests = [
            {"name": name, "split": split, **{f"{what}_sha256": digest for what, digest in arrays.items()}}
            for name, splits in good
            for split, arrays in splits.items()
        ]
        give(form, schema, {"folder": str(folder), "sets": rows}, {"digests": digests})
    elif good:
        table = new_table(f"Checked, in {folder}")
        for heading in ("name", "split", "images SHA-256", "labels SHA-256"):
            table.add_column(heading)
        for name, splits in good:
            for split, arrays in splits.items():
                table.add_row(name, split, arrays["images"][:16] + "…", arrays["labels"][:16] + "…")
        print_table(table)
    if problems:
        raise DataError(" ".join(str(problem) for problem in problems)) from problems[0]
