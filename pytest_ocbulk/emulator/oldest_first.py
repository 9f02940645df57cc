"""What happened, as tests read it: a sequence, oldest first."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

Entry = TypeVar("Entry")

SHOWN = 5
"""Entries that are printed, the last ones."""


class OldestFirst(Sequence[Entry]):
    """Entries by place, `log[-1]` is the last. They are read from a copy: another thread may add one meanwhile."""

    __slots__ = ()

    @abstractmethod
    def _copy(self) -> Sequence[Entry]:
        """All entries as they are now."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._copy())

    def __len__(self) -> int:
        return len(self._copy())

    @overload
    def __getitem__(self, place: int) -> Entry: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...

    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        entries = self._copy()
        if isinstance(place, int) and not -len(entries) <= place < len(entries):
            raise IndexError(f"there is no entry at place {place}, there are {len(entries)}")
        return entries[place]

    def __repr__(self) -> str:
        entries = self._copy()
        shown = [*(["..."] if len(entries) > SHOWN else []), *map(str, entries[-SHOWN:])]
        return f"<{type(self).__name__} of {len(entries)}{': ' if shown else ''}{', '.join(shown)}>"
