"""One recorded exchange, and the folder it is written to: a JSON file for each, so that a diff shows what changed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pytest_ocbulk.emulator.errors import OcBulkError

VERSION = 1
HEAD = "recording.json"


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A request and its answer, redacted.

    `number` counts from 1, `at` and `took` are seconds: since the recording began, and until the answer was there.
    `target` is below the base URL, encoded (`/bulk/contact?x=1`); header names are in lower case. A body that was too
    large to be kept is `cut`.
    """

    number: int
    at: float
    took: float
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    cut: bool = False

    @property
    def call(self) -> str:
        """The request line, for people."""
        return f"{self.method} {self.target.partition('?')[0]}"

    def json(self) -> Any:
        """The answer as JSON, None if it is none."""
        try:
            return json.loads(self.answer)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Recording:
    """The exchanges of one folder, in their order."""

    exchanges: tuple[RecordedExchange, ...] = field(default=())

    @classmethod
    def read(cls, folder: Path) -> Recording:
        """Read a folder; raises `OcBulkError` for one that holds no recording or one of another version."""
        try:
            head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
            if head.get("version") != VERSION:
                raise OcBulkError(f"{folder / HEAD}: expected version {VERSION}, got {head.get('version')!r}")
        except _UNREADABLE as error:
            raise OcBulkError(f"{folder} holds no recording that can be read: {error}") from None
        return cls(tuple(_exchange_of(path) for path in sorted(folder.glob("[0-9]*.json"))))


def begin(folder: Path) -> None:
    """Make a folder for a new recording; raises `OcBulkError` when there is one already.

    A second run cannot go on with the first one's references: who stands behind them was never written down.
    """
    if (folder / HEAD).exists():
        raise OcBulkError(f"{folder} holds a recording already; name a new folder with --to, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEAD).write_text(json.dumps({"version": VERSION}) + "\n", encoding="utf-8")


def write(folder: Path, exchange: RecordedExchange) -> Path:
    """Write one exchange down; its file is named after its number and its call."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", exchange.call).strip("-")[:60]
    path = folder / f"{exchange.number:04d}-{words}.json"
    values = asdict(exchange) | {"body": _written(exchange.body), "answer": _written(exchange.answer)}
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


def _exchange_of(path: Path) -> RecordedExchange:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return RecordedExchange(**values | {"body": _read(values["body"]), "answer": _read(values["answer"])})
    except _UNREADABLE as error:
        raise OcBulkError(
            f"{path}: expected an exchange as `ocbulk record` writes it, got another file ({error}); remove it, or"
            " record again"
        ) from None


def _written(body: bytes) -> Any:
    """A body as it can be read in a file: lines of text, or base64 where it is no text."""
    try:
        return body.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _read(body: Any) -> bytes:
    return base64.b64decode(body["base64"]) if isinstance(body, dict) else "".join(body).encode()
