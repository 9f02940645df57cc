"""A file that comes into its place as a whole or not at all, and what may be in that place.

It is written beside the place and moved there at its end. Symlinks are followed, so that the link stays; what is no
regular file (a device, a FIFO, a socket) is never replaced, whoever asks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import OcBulkError

PRIVATE = 0o600
"""For the owner alone: the mode of a new file that holds secrets."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def place_of(path: str | os.PathLike[str]) -> Path:
    """Where the regular file of that name is or can be made, symlinks followed.

    Raises `OcBulkError` when something else is there; `OSError` when it cannot be known.
    """
    if found := other_kind(path):
        raise OcBulkError(f"{path}: expected a file, got {found}; it was left as it is; choose another name")
    return Path(os.path.realpath(path))


def other_kind(path: str | os.PathLike[str]) -> str | None:
    """What a path leads to, in words, if it is no regular file; None for one and for nothing."""
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "something else")


@contextmanager
def replacing(path: str | os.PathLike[str], mode: int = 0o666) -> Iterator[Path]:
    """An empty file beside the place of `path`, moved there if the block ends well and removed if it does not.

    It has the mode of the file that it replaces; a new one has `mode` as far as the process allows (umask).
    Raises `OcBulkError` as `place_of`, and `OSError` when the folder cannot be written.
    """
    place = place_of(path)
    made = place.with_name(f"{place.name}.new-{os.getpid()}")
    try:
        made.unlink(missing_ok=True)
        made.touch(mode)
        yield made
        with suppress(FileNotFoundError):
            made.chmod(stat.S_IMODE(place.stat().st_mode))
        made.replace(place)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def written(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file open for writing bytes that takes the place of `path` if the block ends well.

    A device or a FIFO gets what is written at once: nobody could put a whole one in its place.
    """
    if other_kind(path):
        with Path(path).open("wb") as stream:
            yield stream
        return
    with replacing(path) as made, made.open("wb") as file:
        yield file
