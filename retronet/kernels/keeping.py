"""Keeps compiled code on disk so that no damage there ends a run: what can not be read is compiled again.

Numba reads its files back without a check: a truncated one raises whatever unpickling raises, and one with a
wrong byte may run. The files of this project's functions begin with a digest of the rest. Numba also writes
which file holds a function before the file itself, and a process may end between: what is there then, of
another Numba or of other source, would run. So each file says what it holds. Other packages' functions are
kept as Numba keeps them.

Two processes that need a function at the same time compile it once (:mod:`retronet.kernels.making`).

All this leans on parts of Numba that a version to come may not have. Code is then kept as Numba keeps it.
"""

import logging
import pickle
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import config
from numba.core import caching, dispatcher, event

from retronet.kernels.making import Making

PACKAGES = ("retronet", "hw_sim")
DIGEST = 32
_log = logging.getLogger("retronet")
_told: set[str] = set()


class Damaged(Exception):
    """A file of compiled code that is not what was written."""


_Pair: Any = getattr(caching, "IndexDataCacheFile", object)
_Numbas: Any = getattr(dispatcher, "FunctionCache", object)


class CheckedFile(_Pair):  # type: ignore[misc]
    """Numba's pair of index and data files, each behind its digest."""

    _cache_path: str
    _index_path: str

    def save(self, key: object, data: object) -> None:
        """Keep data under a key."""
        super().save(key, (self._version, self._source_stamp, key, data))

    def load(self, key: object) -> Any:  # noqa: ANN401
        """Return what is kept under a key, or None."""
        *whose, data = super().load(key) or (None,)
        return data if whose == [self._version, self._source_stamp, key] else None

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


class KeptCode(_Numbas):  # type: ignore[misc]
    """The compiled code of one function: what can not be read or written is done without."""

    def __init__(self, function: Callable[..., object], source: str) -> None:
        super().__init__(function)
        base = self._impl.filename_base
        self._cache_file = CheckedFile(
            cache_path=self._cache_path,
            filename_base=f"{base}.checked",  # Numba could not read them
            source_stamp=(self._impl.locator.get_source_stamp(), source),
        )
        self.index = Path(self._cache_file._index_path)
        self.making = Making(Path(self._cache_path, f"{base}.lock"))

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
        except Exception as error:  # a disk without room, or a Numba that asks the files above for more
            _tell(str(self._cache_path), error)
        finally:
            self.making.end()


class _Failures(event.Listener):
    """Lets go of a function that could not be compiled, so that nothing is kept."""

    def on_start(self, _event: object) -> None:
        """Do nothing: the lock is held."""

    def on_end(self, ended: Any) -> None:  # noqa: ANN401 - Numba's record
        """Let go where an error ended the compilation."""
        cache = getattr(ended.data["dispatcher"], "_cache", None)
        # Not `is_failed`, which in Numba 0.68 says the opposite.
        if getattr(ended, "_exc_details", None) is not None and isinstance(cache, KeptCode):
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


def _cache_of(source: str, function: Callable[..., object]) -> Any:  # noqa: ANN401
    """Return where Numba keeps the code of a function."""
    if function.__module__.partition(".")[0] not in PACKAGES:
        return _Numbas(function)
    try:
        return KeptCode(function, source)
    except (AttributeError, TypeError) as error:
        _log.debug("compiled code is kept as Numba keeps it, which has no such parts: %r", error)
        return _Numbas(function)
    except (RuntimeError, OSError):
        _tell(str(getattr(config, "CACHE_DIR", "")), "the folder can not be written to")
        return caching.NullCache()


def is_kept(loop: Any) -> bool:  # noqa: ANN401 - Numba's
    """Return whether code of a loop is kept, for any types, or none ever is."""
    cache = getattr(loop, "_cache", None)
    return not isinstance(cache, KeptCode) or cache.index.exists()


def install(source: str) -> None:
    """Have Numba keep the code of this project's functions so.

    Parameters
    ----------
    source
        A digest of all that the functions are made from: code that was made from anything else is not used.
    """
    event.register("numba:compile", _Failures())
    if hasattr(dispatcher, "FunctionCache"):
        setattr(dispatcher, "FunctionCache", partial(_cache_of, source))  # noqa: B010 - Numba gives it no name
