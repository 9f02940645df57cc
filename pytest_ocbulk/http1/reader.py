"""Bytes in, requests out. The parser is httptools (llhttp in C); what it leaves to its user is here.

llhttp refuses by itself what could be read in two ways: Content-Length together with Transfer-Encoding, either of
them twice or malformed, folded headers, bare line feeds, control characters. It knows no limits.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import lru_cache

import httptools

from ..emulator.messages import Request, Response
from .limits import Limits
from .reception import Incoming
from .transmission import server_refusal

log = logging.getLogger("pytest_ocbulk.server")


_REPEATED_BYTES = 4096
"""Longer calls are parsed each time."""


class Refused(Exception):
    """The request cannot be taken. It is answered with `answer`, and nothing more is heard from this client."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Reader:
    """Collects requests in `queue`, in the order of their heads; the last one may still be arriving.

    `in_head` is true between the first byte of a head and its end, `heads` counts the beginnings. After a request
    that ends the connection the reader is `finished` and takes nothing more.
    """

    def __init__(self, limits: Limits) -> None:
        self.queue: deque[Incoming] = deque()
        self.in_head = self.finished = False
        self.heads = 0
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._upgrading = False
        self._between = True
        self._progress = self._silent = 0
        self._repeated: tuple[bytes, Incoming] | None = None

    def feed(self, data: bytes) -> None:
        """Parse what has come. Raises `Refused`."""
        if self._repeated is not None and self._between and data == self._repeated[0]:
            self._repeat(self._repeated[1])
            return
        before, heads, between = self._progress, self.heads, self._between
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            raise _refused(error) from error
        self._silent = self._silence(len(data), self._progress - before)
        if self._silent > self._limits.max_header_bytes:
            raise self._too_long()
        if between and self._between and self.heads == heads + 1:
            self._remember(data)

    def _remember(self, data: bytes) -> None:
        """Keep the bytes that were one call and nothing else: a client that polls sends the same again and again.

        Parsing them takes a tenth of the time of a status call.
        """
        incoming = self.queue[-1]
        repeats = incoming.keep_alive and not incoming.has_body and len(data) <= _REPEATED_BYTES
        self._repeated = (data, incoming) if repeats else None

    def _repeat(self, like: Incoming) -> None:
        """Take a request whose bytes are those of an earlier one."""
        self.heads += 1
        head = Request(like.head.method, like.head.segments, like.head.query, like.head.headers)
        again = Incoming(head, http10=like.http10, keep_alive=True)
        again.complete = True
        self.queue.append(again)

    def close(self) -> None:
        """Forget everything. Parser and reader hold each other and would wait for the garbage collector."""
        self.finished = True
        self.queue.clear()
        self._parser = self._repeated = None

    def _silence(self, size: int, events: int) -> int:
        """How many bytes the parser has swallowed without a word: they have to be bounded as well.

        It may be a line without end, a trailer or the extension of a chunk; the first two it keeps in memory.
        """
        if events == 0:
            return self._silent + size
        return size if events == 1 and self.in_head else 0  # then all of it was the beginning of a head

    def _parse(self, data: bytes) -> None:
        while data and not self.finished and self._parser is not None:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]

    def _without_upgrade(self) -> bytes:
        """The head again without its `Upgrade`, for a new parser.

        A server may ignore this header (RFC 9110, 7.8). The parser cannot: it takes what follows, the body, for another
        protocol. Java's HttpClient offers `h2c` with every call to a plain http address.
        """
        self._headers.pop("upgrade", None)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        self._parser = httptools.HttpRequestParser(self)
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (self._method.encode(), self._target, lines.encode("latin-1"))

    # ---- called by the parser

    def on_message_begin(self) -> None:
        """Start a request."""
        self._progress += 1
        self.heads += 1
        self.in_head = True
        self._between = False
        self._target = b""
        self._headers: dict[str, str] = {}
        self._head_size = self._lines = 0

    def on_url(self, url: bytes) -> None:
        """Take the request target, or a part of it."""
        self._target += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line. Those that follow a chunked body are counted and dropped."""
        self._lines += 1
        self._count(len(name) + len(value) + 4)
        if self.in_head:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            known = self._headers.get(key)
            self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """Put the request into the queue; its body follows."""
        parser = self._parser
        if parser is None:
            return
        self._progress += 1
        self.in_head = False
        self._method, version = parser.get_method().decode(), parser.get_http_version()
        self._check(version)
        self._upgrading = parser.should_upgrade()
        if self._upgrading:
            return
        http10 = version == "1.0"
        # Chunks in a request of HTTP/1.0 are suspicious: answer and close (RFC 9112, 6.1).
        keep_alive = parser.should_keep_alive() and not (http10 and "transfer-encoding" in self._headers)
        asked = _decoded(self._method, self._target)
        head = Request(self._method, asked.segments, asked.query, self._headers)
        self.queue.append(Incoming(head, http10=http10, keep_alive=keep_alive))

    def on_body(self, body: bytes) -> None:
        """Take the next bytes of the body."""
        self._progress += 1
        self.queue[-1].write(body)

    def on_message_complete(self) -> None:
        """The request is there in full."""
        self._progress += 1
        if not self._upgrading:
            self._between = True
            self.queue[-1].complete = True
            self.finished = not self.queue[-1].keep_alive

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.max_header_bytes:
            raise self._too_long()
        if self._lines > self._limits.max_headers:
            most = self._limits.max_headers
            raise Refused(
                server_refusal(431, f"The request has more than the {most} header lines accepted here.")
            )

    def _too_long(self) -> Refused:
        most = self._limits.max_header_bytes
        return Refused(
            server_refusal(431, f"The request head is longer than the {most} bytes accepted here.")
        )

    def _check(self, version: str) -> None:
        host = self._headers.get("host")
        if version not in ("1.1", "1.0"):
            raise Refused(server_refusal(505, f"HTTP/{version} is not spoken here; use HTTP/1.1."))
        if (host is None and version == "1.1") or (host is not None and "," in host):  # RFC 9112, 3.2
            raise Refused(server_refusal(400, "The request needs exactly one Host header."))
        if self._method == "CONNECT":
            raise Refused(server_refusal(405, "CONNECT is for proxies; this is not one."))


@lru_cache(maxsize=1024)
def _decoded(method: str, target: bytes) -> Request:
    """A request without its headers. Clients poll: the same few targets come again and again."""
    return Request.of(method, _origin_form(target.decode("latin-1")))


def _origin_form(target: str) -> str:
    """The path and query of a target that may name the host as well (RFC 9112, 3.2.2)."""
    if target.startswith("/"):
        return target
    _, scheme, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if scheme else target


def _refused(error: httptools.HttpParserError) -> Refused:
    cause = error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return Refused(
            server_refusal(
                400, "Expected a request that begins with a method of HTTP such as GET, got another word."
            )
        )
    if not isinstance(error, httptools.HttpParserCallbackError):
        return Refused(server_refusal(400, f"The request is not valid HTTP/1.1: {error}."))
    if isinstance(cause, Refused):
        return cause
    log.error("a request could not be received", exc_info=cause)
    return Refused(server_refusal(500, "The fake failed while receiving this call; its log says why."))
