"""The file that a durable store lives in: made whole, checked before it is touched, used by one server at a time.

A file is looked at through a connection that cannot write before anything is written, so that one that is damaged,
foreign or newer stays as it is, byte for byte.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from .errors import OcBulkError
from .whole_file import PRIVATE, place_of, replacing

APPLICATION_ID = 0x4F434246
"""`OCBF` in the header of every data file, so that no other program's database is taken for one."""

VERSION = 1
"""The form of the tables; it goes up when an older program could not read them."""

PART = 1024 * 1024
"""Bytes of an uploaded file that are kept in one row."""

_PATIENCE = 1.0
"""Seconds for which a server that is just ending may still hold the file."""

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE instances (id INTEGER PRIMARY KEY, document TEXT);
CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT UNIQUE, instance INTEGER, document TEXT);
CREATE TABLE files (number INTEGER PRIMARY KEY, job TEXT, data BLOB);
CREATE INDEX files_of_job ON files (job);
CREATE TABLE callbacks (number INTEGER PRIMARY KEY, instance INTEGER, document TEXT, body BLOB);
CREATE TABLE transfers (id INTEGER PRIMARY KEY, document TEXT);
INSERT INTO meta VALUES ('runs', 0);
"""

_PRAGMAS = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -8000;
PRAGMA journal_size_limit = 67108864;
"""
"""With a write-ahead log `NORMAL` survives the end of the process at any moment; the end of the machine (power) may
take the last moments away, and never leaves a part of one."""


class DamagedFile(OcBulkError):
    """A data file of ours of which a part cannot be read."""


def connect(path: str, schema: str) -> sqlite3.Connection:
    """Open a data file and keep others out of it; it is made, with the tables of `schema`, if there is none.

    Raises `OcBulkError` when it is damaged, not ours, newer than this program or in use; it is then left as it is.
    """
    with _told(path):
        if Path(path).is_dir():
            raise OcBulkError(
                f"{path}: a folder, not a file; give the data file a name in it: {Path(path, 'ocbulk.db')}"
            )
        _check_access(path)
        if not _is_there(path):
            _make(path, schema)
        check(path)
        return _open(path)


def check(path: str) -> None:
    """Raise `OcBulkError` unless a file is a sound data file of this version; nothing is written to it."""
    # The file is opened by SQLite alone: closing a descriptor of one's own would give up its locks (POSIX).
    with _looking(path) as connection:
        try:
            owner, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            )
            if owner == APPLICATION_ID and version <= VERSION:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise OcBulkError(_foreign(path)) from None
            owner, version, found = APPLICATION_ID, VERSION, str(error)
    if owner != APPLICATION_ID:
        raise OcBulkError(_foreign(path))
    if version > VERSION:
        raise OcBulkError(
            f"{path}: written by a newer pytest-ocbulk (data format {version}, this one knows {VERSION});"
            " it was left as it is; update pytest-ocbulk or choose another file"
        )
    if found != "ok":
        raise DamagedFile(
            f"{path}: damaged ({' '.join(found.split())}); it was left as it is; load a snapshot or choose another file"
        )


def _foreign(path: str) -> str:
    return f"{path}: not a data file of ocbulk-server; it was left as it is; choose another file"


def copy(source: str, target: str) -> None:
    """Copy a data file that no server uses to another place, whole or not at all; raises `OcBulkError`."""
    with _told(source):
        check(source)
        with _looking(source) as old:
            copy_open(old, target)


def copy_open(source: sqlite3.Connection, target: str) -> None:
    """Copy the data file of an open connection to another place, whole or not at all; raises `OcBulkError`."""
    with _told(target), _new(target) as made, closing(sqlite3.connect(made)) as new:
        source.backup(new)


def replace(source: str, target: str) -> None:
    """Put a copy of one data file in the place of another that no server uses, damaged or not; raises `OcBulkError`."""
    with _told(target), suppress(DamagedFile):  # that may be why it is to be replaced
        if _is_there(target):
            check(target)
    copy(source, target)


def _is_there(path: str) -> bool:
    """Whether there is a file with anything in it; raises `OcBulkError` for what is no file."""
    place = place_of(path)
    return place.exists() and place.stat().st_size > 0


def _make(path: str, schema: str) -> None:
    """Make an empty data file as a whole: a crash leaves no half of one."""
    with _new(path) as made, closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
            f"BEGIN; {schema} {_SCHEMA} COMMIT; PRAGMA journal_mode = WAL;"
        )


@contextmanager
def _new(path: str) -> Iterator[Path]:
    """The place of a new data file, which then takes that of `path`; for its owner alone, as secrets are in it.

    The log of what was there goes: it would be taken for that of the new one.
    """
    with replacing(path, PRIVATE) as made:
        try:
            yield made
            _remove_beside(place_of(path))
        finally:
            _remove_beside(made)


def _remove_beside(place: Path, ends: Iterable[str] = ("-wal", "-shm", "-journal")) -> None:
    """Remove what SQLite put beside a file."""
    for end in ends:
        place.with_name(place.name + end).unlink(missing_ok=True)


@contextmanager
def _looking(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, and that leaves nothing beside the file.

    Where no log lies beside it nobody uses it, and `immutable` keeps SQLite from making an empty one.
    """
    place = place_of(path)
    alone = "" if place.with_name(f"{place.name}-wal").exists() else "&immutable=1"
    there = place.with_name(f"{place.name}-shm").exists()
    try:
        with closing(
            sqlite3.connect(f"file:{quote(os.fsencode(place))}?mode=ro{alone}", uri=True, timeout=_PATIENCE)
        ) as connection:
            yield connection
    finally:
        if not there:
            _remove_beside(place, ("-shm",))


def _open(path: str) -> sqlite3.Connection:
    place = place_of(path)
    connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    try:
        connection.executescript(_PRAGMAS)
        # The first transaction takes the lock, which is then kept.
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'runs'")
    except BaseException:
        connection.close()
        raise
    _remove_beside(place, ("-shm",))  # who holds the lock shares no memory; a process that was killed left it
    return connection


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turns what SQLite and the system have against a file into one line."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            why = "in use by another ocbulk-server; stop that one or choose another file"
        else:
            why = f"cannot be used as a data file: {error}; choose another file"
    except OSError as error:
        why = f"cannot be used as a data file: {error.strerror}; choose another file"
    else:
        return
    raise OcBulkError(f"{path}: {why}")


def _check_access(path: str) -> None:
    """Raise `OcBulkError` unless this user can read and write the file and make SQLite's log beside it."""
    place = place_of(path)
    if not place.parent.is_dir():
        raise OcBulkError(f"{path}: there is no folder {place.parent}; make it or choose another file")
    for each, needed in ((place, os.R_OK | os.W_OK), (place.parent, os.W_OK | os.X_OK)):
        if each.exists() and not os.access(each, needed):
            raise OcBulkError(
                f"{path}: expected a file and a folder that can be read and written, got no permission for {each};"
                " change its mode or choose another file"
            )
