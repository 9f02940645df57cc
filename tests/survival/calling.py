"""Clients of a server that may be killed, and a receiver of its callbacks. Nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from ..patience import PATIENCE

BASE = "/elements/api-v2"
HEADERS = {token: {"Authorization": f"Element {token}, User demo"} for token in ("marketing", "sqlserver")}


class Broken(AssertionError):
    """A promise that was not kept."""


class Caller:
    """One client's connection, which breaks when the server is killed."""

    def __init__(self, port: int, token: str = "marketing") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.token = token

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, Any, str]:
        """Make a call; status, JSON of the answer and the token of the next page."""
        given = HEADERS[self.token] | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, BASE + target, body, given)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text), answer.headers.get("elements-next-page-token") or ""

    def get(self, target: str) -> Any:
        """The JSON that a GET answers with 200."""
        status, body, _ = self.ask("GET", target)
        if status != 200:
            raise Broken(f"GET {target}: {status} {body}")
        return body

    def all(self, target: str) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list."""
        page = ""
        while True:
            status, items, page = self.ask("GET", f"{target}&pageSize=5000{page and f'&nextPage={page}'}")
            if status != 200:
                raise Broken(f"GET {target}: {status} {items}")
            yield from items
            if not page:
                return

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class Receiver:
    """Takes callbacks and remembers the bytes of each, by the path they came to."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server asks for this name
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # who sent it was killed on the way
                    return
                bodies.setdefault(self.path, []).append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def contacts_of(caller: Caller) -> Iterator[dict[str, Any]]:
    """All contacts, by a query: lists of databases stop at 50."""
    status, stub, _ = caller.ask(
        "POST", f"/bulk/query?q={quote('select C_Company, C_EmailAddress from contact')}"
    )
    if status != 200:
        raise Broken(f"query: {status} {stub}")
    deadline = time.monotonic() + PATIENCE
    while caller.get(f"/bulk/{stub['id']}/status")["status"] != "COMPLETE":
        if time.monotonic() > deadline:
            raise Broken("a query does not end")
        time.sleep(0.02)
    page = ""
    while True:
        status, items, page = caller.ask(
            "GET", f"/bulk/{stub['id']}/contact/data?pageSize=5000{page and f'&nextPage={page}'}"
        )
        if status != 200:
            raise Broken(f"results: {status} {items}")
        yield from items
        if not page:
            return


def contacts_csv(number: int, rows: int, bad: set[int], tag: str) -> bytes:
    filler = "x" * (number % 3 * 50)
    lines = (
        f"{'' if row in bad else f'u{number}-{row}@example.com'},{filler},{tag}\n" for row in range(rows)
    )
    return ("C_EmailAddress,C_Title,C_Company\n" + "".join(lines)).encode()


def form(file: bytes, metadata: dict[str, object]) -> bytes:
    parts = [b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + file]
    if metadata:
        parts.append(
            b'Content-Disposition: form-data; name="metaData"\r\n\r\n' + json.dumps(metadata).encode()
        )
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"
