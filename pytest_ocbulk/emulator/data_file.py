"""The file that a durable store lives in: made whole, checked before it is touched, used by one server at a time.

A file is looked at through a connection that cannot write before anything is written, so that one that is damaged,
foreign or newer stays as it is, byte for byte.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from .errors import OcBulkError

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
PRAGMA cache_size = -16000;
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
    try:
        if Path(path).is_dir():
            raise OcBulkError(
                f"{path}: a folder, not a file; give the data file a name in it: {Path(path, 'ocbulk.db')}"
            )
        if not _is_there(path):
            _make(path, schema)
        check(path)
        return _open(path)
    except sqlite3.OperationalError as error:
        raise OcBulkError(_refused(path, error)) from None
    except OSError as error:
        raise OcBulkError(f"{path}: cannot be used as a data file: {error.strerror}") from None


def check(path: str) -> None:
    """Raise `OcBulkError` unless a file is a sound data file of this version; nothing is written to it."""
    # The file is opened by SQLite alone: closing a descriptor of one's own would give up its locks (POSIX).
    with closing(_look(path)) as connection:
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
    try:
        check(source)
        with closing(_look(source)) as old:
            copy_open(old, target)
    except sqlite3.OperationalError as error:
        raise OcBulkError(_refused(source, error)) from None


def copy_open(source: sqlite3.Connection, target: str) -> None:
    """Copy the data file of an open connection to another place, whole or not at all; raises `OcBulkError`."""
    made = _beside(target)
    try:
        with closing(sqlite3.connect(made)) as new:
            source.backup(new)
        _remove(target, but_file=True)  # the log of what was there must not be taken for that of the copy
        os.replace(made, target)  # noqa: PTH105  # Path.replace reads no better
    except OSError as error:
        raise OcBulkError(f"{error.filename or target}: {error.strerror}") from None
    finally:
        _remove(made)


def replace(source: str, target: str) -> None:
    """Put a copy of one data file in the place of another that no server uses, damaged or not; raises `OcBulkError`."""
    if _is_there(target):
        try:
            check(target)
        except sqlite3.OperationalError as error:
            raise OcBulkError(_refused(target, error)) from None
        except DamagedFile:
            pass  # that may be why it is to be replaced
    copy(source, target)


def _is_there(path: str) -> bool:
    return Path(path).exists() and Path(path).stat().st_size > 0


def _make(path: str, schema: str) -> None:
    """Make an empty data file beside the place and put it there as a whole: a crash leaves no half of one."""
    made = _beside(path)
    try:
        with closing(sqlite3.connect(made, isolation_level=None)) as connection:
            connection.executescript(
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
                f"BEGIN; {schema} {_SCHEMA} COMMIT; PRAGMA journal_mode = WAL;"
            )
        os.replace(made, path)  # noqa: PTH105
    finally:
        _remove(made)


def _beside(path: str) -> str:
    return f"{path}.new-{os.getpid()}"


def _remove(path: str, *, but_file: bool = False) -> None:
    for end in ("", "-wal", "-shm", "-journal")[but_file:]:
        with suppress(FileNotFoundError):
            Path(path + end).unlink()


def _look(path: str) -> sqlite3.Connection:
    """A connection that cannot write."""
    address = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=_PATIENCE)


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    try:
        connection.executescript(_PRAGMAS)
        # The first transaction takes the lock, which is then kept.
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'runs'")
    except BaseException:
        connection.close()
        raise
    return connection


def _refused(path: str, error: sqlite3.OperationalError) -> str:
    if "locked" in str(error):
        return f"{path}: in use by another ocbulk-server; stop that one or choose another file"
    return f"{path}: cannot be used as a data file: {error}"
