"""Headers as a test reads them: by their names in any case, as HTTP has them (RFC 9110, 5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Headers(Mapping[str, str]):
    """The headers of one message; listed, they are spelled as they came."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._fields = {name.lower(): (name, value) for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._fields.values()])

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(dict(self))
