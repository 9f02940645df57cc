"""The journal as HTTP Archive 1.2, which browsers' developer tools and many others read. Secrets are masked.

The fake measures no durations, so all timings are 0. What HAR has no place for stands in fields that begin with an
underscore, as the format provides: `_operation`, `_job`, `_fault`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from pytest_ocbulk.emulator.clock import iso
from pytest_ocbulk.emulator.journal import Exchange

HTTP = "HTTP/1.1"


def archive(exchanges: Iterable[Exchange], version: str) -> dict[str, Any]:
    """A HAR document of these exchanges; `version` is that of pytest-ocbulk."""
    creator = {"name": "pytest-ocbulk", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each) for each in exchanges]}}


def _entry(exchange: Exchange) -> dict[str, Any]:
    entry = {
        "startedDateTime": iso(exchange.at),
        "time": 0,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_operation": exchange.operation,
    }
    if exchange.job:
        entry["_job"] = exchange.job
    if exchange.fault:
        entry["_fault"] = exchange.fault
    return entry


def _request(exchange: Exchange) -> dict[str, Any]:
    query = f"?{urlencode(exchange.query)}" if exchange.query else ""
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": f"http://{exchange.headers.get('host', 'localhost')}{quote(exchange.path)}{query}",
        "httpVersion": HTTP,
        "cookies": [],
        "headers": _pairs(exchange.shown_headers()),
        "queryString": _pairs(exchange.query),
        "headersSize": -1,
        "bodySize": exchange.size,
    }
    if exchange.size:
        kind = exchange.headers.get("content-type", "application/octet-stream")
        request["postData"] = {"mimeType": kind, "text": _text(exchange.body)}
        if len(exchange.body) < exchange.size:
            request["postData"]["comment"] = f"the first {len(exchange.body)} of {exchange.size} bytes"
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in exchange.answer_headers.items()}
    length = headers.get("content-length", "")
    content = {
        "size": int(length) if length.isdigit() else len(exchange.answer),
        "mimeType": headers.get("content-type", "x-unknown"),
        "text": _text(exchange.answer),
    }
    return {
        "status": exchange.status,
        "statusText": _phrase(exchange.status),
        "httpVersion": HTTP,
        "cookies": [],
        "headers": _pairs(exchange.answer_headers),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": content["size"],
    }


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _text(body: bytes) -> str:
    return body.decode(errors="replace")


def _phrase(status: int) -> str:
    """The words beside a status; a connection that was reset has status 0 in browsers' archives too."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "connection reset" if status == 0 else ""
