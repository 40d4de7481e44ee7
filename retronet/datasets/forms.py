"""Forms in which digits are spread too and that are not read: they are named, so that nobody wonders."""

NAMES = {
    (".h5", ".hdf5"): "an HDF5 file",
    (".mat",): "a MATLAB file",
    (".parquet",): "a Parquet file",
    (".pkl", ".pkl.gz", ".pickle"): "a pickle",
    (".npz", ".npy"): "a numpy file",
    (".csv", ".csv.gz"): "comma-separated text",
    (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar"): "an archive",
}
"""By the ends of names."""

STARTS = {
    b"\x89HDF": "an HDF5 file",
    b"MATLAB": "a MATLAB file",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a numpy file",
    b"\x80\x02": "a pickle",
    b"\x80\x04": "a pickle",
}
"""By the first bytes."""


def form_of_name(name: str) -> str | None:
    """Return what a file of that name is, or None if the name does not tell."""
    return next((form for ends, form in NAMES.items() if name.lower().endswith(ends)), None)


def form_of_content(content: bytes) -> str | None:
    """Return what a file that begins so is, or None if it may be read."""
    return next((form for start, form in STARTS.items() if content.startswith(start)), None)
