"""Compiled functions over contiguous arrays. They have never heard of a network; the modules above join them.

Compiled code is kept on disk, in the user's cache folder unless ``NUMBA_CACHE_DIR`` names another: an
installed package may lie where the user can not write. The folder is named after the source, because a
function compiled for one module does not notice that another, which it calls, has changed.
"""

import os
from hashlib import sha256
from pathlib import Path

from numba import config
from platformdirs import user_cache_path


def _digest() -> str:
    """Return a digest of the kernels' source."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if not config.CACHE_DIR:
    # Numba reads the variable when it is imported, which may have been before; processes started later inherit it.
    config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(user_cache_path("retronet") / "numba" / _digest())
