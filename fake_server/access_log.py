"""What the server writes down while it runs: one line for each exchange, and whatever its modules log.

    text   2026-01-05T10:00:00.000Z 200 POST /elements/api-v2/bulk/contact 81 bytes 3.2 ms 5b04...
    json   {"time": "2026-01-05T10:00:00.000Z", "event": "exchange", "method": "POST", "path": ...}

Lines go to stderr. Paths are written encoded, so that none of them can begin a line of its own; no header of a request
is written, and of a query the element token of a control call is masked.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO
from urllib.parse import quote, urlencode

from pytest_ocbulk.emulator.clock import iso
from pytest_ocbulk.emulator.messages import Disconnect, Request, Response

LogFormat = Literal["text", "json"]
FORMATS: tuple[LogFormat, ...] = ("text", "json")
MASK = "***"
_ODD = "backslashreplace"  # text that is no Unicode


class AccessLog:
    """Writes exchanges and log records in one format; `configure` makes Python's logging use it too."""

    def __init__(
        self, form: LogFormat, stream: TextIO | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._form = form
        self._stream = stream or sys.stderr
        self._now = now

    def exchanged(self, request: Request, answer: Response | Disconnect, seconds: float) -> None:
        """Write one exchange down."""
        entry: dict[str, Any] = {
            "time": iso(self._now()),
            "event": "exchange",
            "method": request.method,
            "path": _target(request),
            "status": 0,
            "bytes": 0,
            "ms": round(seconds * 1000, 1),
            "request_id": "",
        }
        if isinstance(answer, Response):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            length = headers.get("content-length", "")
            # The answers of the server itself leave the header to its framing.
            if not length and isinstance(answer.body, bytes):
                length = str(len(answer.body))
            entry["status"] = answer.status
            entry["bytes"] = int(length) if length.isdigit() else None
            entry["request_id"] = headers.get("elements-request-id", "")
        self._write(entry, _exchange_line)

    def logged(self, record: logging.LogRecord) -> None:
        """Write one log record down, with its traceback if it has one."""
        entry: dict[str, Any] = {
            "time": iso(record.created),
            "event": "log",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._write(entry, _record_line)

    def configure(self) -> None:
        """Let everything that this program logs be written here."""
        handler = _Handler(self)
        logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)

    def _write(self, entry: Mapping[str, Any], line: Callable[[Mapping[str, Any]], str]) -> None:
        text = json.dumps(entry, ensure_ascii=True) if self._form == "json" else line(entry)
        self._stream.write(text + "\n")
        self._stream.flush()


class _Handler(logging.Handler):
    def __init__(self, log: AccessLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log.logged(record)
        except Exception:
            self.handleError(record)


def _target(request: Request) -> str:
    path = "/" + "/".join(quote(segment, safe="", errors=_ODD) for segment in request.segments)
    if not request.query:
        return path
    shown = {name: MASK if name == "token" else value for name, value in request.query.items()}
    return f"{path}?{urlencode(shown, safe='*', errors=_ODD)}"


def _exchange_line(entry: Mapping[str, Any]) -> str:
    size = "streamed" if entry["bytes"] is None else f"{entry['bytes']} bytes"
    came = f"{entry['status']}" if entry["status"] else "reset"
    parts = (entry["time"], came, entry["method"], entry["path"], size, f"{entry['ms']:g} ms")
    return " ".join([*parts, entry["request_id"]]).rstrip()


def _record_line(entry: Mapping[str, Any]) -> str:
    text = f"{entry['time']} {entry['level']} {entry['logger']}: {entry['message']}"
    return f"{text}\n{entry['traceback']}" if "traceback" in entry else text
