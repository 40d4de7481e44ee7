"""Lines of JSON that vouch for themselves: each ends with a digest of what stands before it."""

import hashlib
import re

STAMP = re.compile(rb',"sha256":"[^"]*"}$')


def stamped(content: bytes) -> bytes:
    """Return a JSON object with its digest as the last key, ``sha256``, and a line break."""
    return content[:-1] + b',"sha256":"' + hashlib.sha256(content).hexdigest()[:16].encode() + b'"}\n'


def unstamped(line: bytes) -> bytes | None:
    """Return the JSON object that `stamped` made `line` from, or None if the line has no digest.

    Raises
    ------
    ValueError
        If the digest is that of something else.
    """
    stamp = STAMP.search(line.removesuffix(b"\n"))
    if stamp is None:
        return None
    content = line[: stamp.start()] + b"}"
    if stamped(content) != line:
        raise ValueError("its digest is that of another line")
    return content
