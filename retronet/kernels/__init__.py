"""Compiled functions over contiguous arrays. They have never heard of a network; the modules above join them.

Compiled code is kept on disk, in the user's cache folder unless ``NUMBA_CACHE_DIR`` names another: an
installed package may lie where the user can not write. The folder is named after the source and Numba's
version: a function compiled for one module does not notice that another, which it calls, has changed, and two
versions would delete each other's code. Damage in it ends no run (:mod:`retronet.kernels.keeping`).
"""

import os
from hashlib import sha256
from pathlib import Path

from numba import __version__, config
from platformdirs import user_cache_path

from retronet.kernels.collecting import put_off_collecting
from retronet.kernels.keeping import install


def _digest() -> str:
    """Return a digest of what compiled code is made from: Numba, the kernels here and those of hw_sim."""
    digest = sha256(__version__.encode())
    for package in ("retronet", "hw_sim"):
        for path in sorted((Path(__file__).parents[2] / package / "kernels").glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_source = _digest()
if not getattr(config, "CACHE_DIR", ""):
    # Numba has read the variable by now; set it all the same, for processes started from here.
    folder = str(user_cache_path("retronet") / "numba" / _source)
    os.environ["NUMBA_CACHE_DIR"] = folder
    setattr(config, "CACHE_DIR", folder)  # noqa: B010 - numba gives its settings no types

install(_source)
put_off_collecting()
