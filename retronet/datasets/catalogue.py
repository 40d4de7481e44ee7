"""The data sets there are. A new one is a module and a line in `SOURCES`."""

from pathlib import Path

from retronet.datasets import digits5k, mnist, mnist10k, mnist1989, usps
from retronet.datasets.dataset import Dataset, DigitSets, Provenance
from retronet.datasets.prepare import natural
from retronet.datasets.prepare import preparation as find_preparation
from retronet.datasets.source import DataSource, data_folder
from retronet.errors import DataError, unknown_name

AUTO = "auto"

SOURCES: dict[str, DataSource] = {
    source.name: source
    for source in (
        usps.SOURCE,
        mnist.SOURCE,
        mnist1989.TEST_FIRST,
        mnist1989.TRAIN_FIRST,
        mnist10k.SOURCE,
        digits5k.SOURCE,
    )
}


def dataset_names() -> list[str]:
    """Return the names of the data sets; `load` knows ``"auto"`` besides."""
    return list(SOURCES)


def find_source(name: str) -> DataSource:
    """Return the data set called `name`.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in SOURCES:
        raise unknown_name("data set", name, [AUTO, *SOURCES], "retronet data list")
    return SOURCES[name]


def load(
    name: str,
    preparation: str | None = None,
    data_dir: Path | None = None,
    size: tuple[int, int] | None = None,
) -> DigitSets:
    """Return a data set, prepared, after checking its content against the known digests.

    Parameters
    ----------
    name
        One of `dataset_names`, or ``"auto"``: USPS, or the embedded sample with a notice where USPS can
        not be had. A data set asked for by its own name is never replaced.
    preparation
        A name in `retronet.datasets.prepare.PREPARATIONS`; None is the natural form for `size`.
    data_dir
        The data folder; None is ``$RETRONET_DATA_DIR``, else the user's cache folder. Files that are not
        there are fetched into it.
    size
        Rows and columns that the network reads; None is 16×16.

    Raises
    ------
    InputError
        If there is no such data set or preparation.
    DataError
        If the digits are not there and can not be fetched, or are not the known ones.
    """
    if name != AUTO:
        return _load(find_source(name), preparation, data_dir, None, size)
    try:
        return _load(usps.SOURCE, preparation, data_dir, None, size)
    except DataError as error:
        notice = (
            f"Using the embedded sample of 5,000 MNIST digits instead of USPS: results are not comparable"
            f" with the paper. {error}"
        )
        return _load(digits5k.SOURCE, preparation, data_dir, notice, size)


def _load(
    source: DataSource,
    preparation: str | None,
    data_dir: Path | None,
    notice: str | None,
    size: tuple[int, int] | None,
) -> DigitSets:
    if preparation is None and size is not None:
        preparation = natural(source.size, size)
    chosen, prepare = find_preparation(source.size, preparation)
    train, test = (
        Dataset(
            images=prepare(raw.images),
            labels=raw.labels,
            provenance=Provenance(
                name=source.name,
                split=split,
                preparation=chosen,
                images_sha256=raw.images_sha256,
                labels_sha256=raw.labels_sha256,
                licence=source.licence,
                source=source.source,
            ),
        )
        for split, raw in zip(("train", "test"), source.read(data_folder(data_dir), True), strict=True)
    )
    return DigitSets(train, test, notice)
