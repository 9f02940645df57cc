"""An instance's configuration as a test changes it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from .emulator.callbacks import SIGNATURE_KEY
from .emulator.errors import OcBulkError, nearest
from .emulator.instances import FILTER_NULLS, TABLE_NAMES

if TYPE_CHECKING:
    from .emulator.instances import Instance

READ = (SIGNATURE_KEY, FILTER_NULLS, TABLE_NAMES, "db.schema")
"""What the fake itself reads of a configuration."""


class Configuration(MutableMapping[str, str]):
    """Names and texts, as `GET /instances/{id}` shows them.

    Names of one's own are fine, for the service has many more. Refused are what is no text, and what looks like a
    misspelt name of a value that the fake reads: it would be kept and change nothing.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def __getitem__(self, name: str) -> str:
        return self._instance.configuration[name]

    def __setitem__(self, name: str, value: str) -> None:
        if not all(isinstance(each, str) for each in (name, value)):
            raise OcBulkError(f"configuration maps names to texts, got {value!r} for {name!r}")
        hint = nearest(name, READ)
        if name not in READ and "?" in hint:
            raise OcBulkError(f"the fake reads no configuration {name!r}{hint}")
        self._instance.configuration[name] = value

    def __delitem__(self, name: str) -> None:
        del self._instance.configuration[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._instance.configuration)

    def __len__(self) -> int:
        return len(self._instance.configuration)

    def __repr__(self) -> str:
        return f"<Configuration: {', '.join(self) or 'nothing set'}>"  # names only: some values are secrets
