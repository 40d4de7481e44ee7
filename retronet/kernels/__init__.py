"""Compiled functions over contiguous arrays. They have never heard of a network; the modules above join them.

Compiled code is kept on disk, in the user's cache folder unless ``NUMBA_CACHE_DIR`` names another: an
installed package may lie where the user can not write.
"""

import os

from platformdirs import user_cache_path

os.environ.setdefault("NUMBA_CACHE_DIR", str(user_cache_path("retronet") / "numba"))
