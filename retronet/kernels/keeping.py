"""Keeps compiled code on disk so that no damage there ends a run: what can not be read is compiled again.

Numba reads its files back without a check: a truncated one raises whatever unpickling raises, and one with a
wrong byte may run. The files of this project's functions begin with a digest of the rest. Other packages'
functions are kept as Numba keeps them.

Two processes that need a function at the same time compile it once (:mod:`retronet.kernels.making`).
"""

import contextlib
import logging
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba.core import caching, dispatcher, event

from retronet.kernels.making import Making

PACKAGES = ("retronet", "hw_sim")
DIGEST = 32
_log = logging.getLogger("retronet")
_told: set[str] = set()


class Damaged(Exception):
    """A file of compiled code that is not what was written."""


class CheckedFile(caching.IndexDataCacheFile):
    """Numba's pair of index and data files, each behind its digest."""

    _cache_path: str
    _index_path: str

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, (self._version, self._source_stamp, overloads))

    def _load_index(self) -> dict[Any, str]:
        try:
            version, stamp, overloads = self._read(self._index_path)
        except (FileNotFoundError, Damaged):
            return {}
        except Exception as error:  # an index of an earlier version may name records that are no more
            _log.debug("the index %s is written anew: %r", self._index_path, error)
            return {}
        return dict(overloads) if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_data(self, name: str, data: object) -> None:
        self._write(self._data_path(name), data)

    def _load_data(self, name: str) -> Any:  # noqa: ANN401 - what Numba makes of a function
        return self._read(self._data_path(name))

    def _write(self, path: str, content: object) -> None:
        packed = self._dump(content)
        with self._open_for_write(path) as file:
            file.write(sha256(packed).digest() + packed)

    def _read(self, path: str) -> Any:  # noqa: ANN401
        packed = Path(path).read_bytes()
        if sha256(packed[DIGEST:]).digest() != packed[:DIGEST]:
            raise Damaged(path)
        try:
            return pickle.loads(packed[DIGEST:])
        except Exception as error:  # what was written names things that this version has no more
            raise Damaged(path) from error


class KeptCode(caching.FunctionCache):
    """The compiled code of one function: what can not be read or written is done without."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        self._cache_file = CheckedFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )
        self.making = Making(Path(self._cache_path, f"{self._impl.filename_base}.lock"))

    def load_overload(self, signature: object, context: object) -> Any:  # noqa: ANN401
        """Return the code for a signature, or None if it has to be compiled: others wait until it is."""
        code = self._load(signature, context)
        if code is None:
            self.making.begin()
            code = self._load(signature, context)  # another process may have made it by now
            if code is not None:
                self.making.end()
        return code

    def _load(self, signature: object, context: object) -> Any:  # noqa: ANN401
        try:
            return super().load_overload(signature, context)
        except Exception as error:  # whatever a file of another version makes of unpickling
            _log.debug("compiled code in %s is not used: %r", self._cache_path, error)
            return None

    def save_overload(self, signature: object, data: object) -> None:
        """Keep the code for a signature, if there is room."""
        try:
            super().save_overload(signature, data)
        except OSError as error:
            _tell(str(self._cache_path), error)
        finally:
            self.making.end()


class _Failures(event.Listener):
    """Lets go of a function that could not be compiled, so that nothing is kept."""

    def on_start(self, _event: object) -> None:
        """Do nothing: the lock is held."""

    def on_end(self, ended: Any) -> None:  # noqa: ANN401 - Numba's record
        """Let go where an error ended the compilation."""
        cache = ended.data["dispatcher"]._cache
        # Not `is_failed`, which in Numba 0.68 says the opposite.
        if ended._exc_details is not None and isinstance(cache, KeptCode):
            cache.making.end()


def _tell(folder: str, reason: object) -> None:
    """Say once for each folder that code is not kept there."""
    if folder not in _told:
        _told.add(folder)
        _log.warning(
            "Compiled code can not be kept in %s: %s. Runs go on and compile again each time; make room or "
            "delete the folder, or name another with NUMBA_CACHE_DIR.",
            folder,
            reason,
        )


def _cache_of(function: Callable[..., object]) -> Any:  # noqa: ANN401
    """Return where Numba keeps the code of a function."""
    if function.__module__.partition(".")[0] not in PACKAGES:
        return caching.FunctionCache(function)
    with contextlib.suppress(RuntimeError, OSError):
        return KeptCode(function)
    from numba import config

    _tell(str(getattr(config, "CACHE_DIR", "")), "the folder can not be written to")
    return caching.NullCache()


def is_kept(loop: Any) -> bool:  # noqa: ANN401 - Numba's
    """Return whether code of a loop is kept, for any types, or none ever is."""
    cache = getattr(loop, "_cache", None)
    return not isinstance(cache, KeptCode) or Path(cache._cache_file._index_path).exists()


def install() -> None:
    """Have Numba keep the code of this project's functions so."""
    event.register("numba:compile", _Failures())
    setattr(dispatcher, "FunctionCache", _cache_of)  # noqa: B010 - a module of Numba's gives it no name
