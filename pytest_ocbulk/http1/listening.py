"""The socket that a server listens on, and why it cannot."""

from __future__ import annotations

import errno
import socket
import sys

from ..emulator.errors import OcBulkError

BACKLOG = 1024

_LAST_PORT = 65535
_NO_SUCH_ADDRESS = "this machine has no such address; 127.0.0.1 and 0.0.0.0 always work"
_REASONS = {
    errno.EADDRINUSE: "the port is in use; end the other program or choose another port (0 takes a free one)",
    errno.EACCES: "not allowed; choose a port from 1024 on (0 takes a free one)",
    errno.EADDRNOTAVAIL: _NO_SUCH_ADDRESS,
}


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `OcBulkError` with what to do."""
    where = f"cannot listen on {host}:{port}"
    if not 0 <= port <= _LAST_PORT:  # the look-up would cut it to 16 bits without a word
        raise OcBulkError(f"{where}: a port is a number from 0 to {_LAST_PORT}")
    try:
        return _listening(host, port)
    except (socket.gaierror, UnicodeError) as error:  # the latter: a name that cannot be written in ASCII
        raise OcBulkError(f"{where}: {_NO_SUCH_ADDRESS}") from error
    except OSError as error:
        raise OcBulkError(f"{where}: {_REASONS.get(error.errno or 0, error)}") from error


def _listening(host: str, port: int) -> socket.socket:
    # As bytes a name need not pass the IDNA codec, which loads the tables of Unicode and raises for an empty label.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # Without IPPROTO_TCP asyncio would leave Nagle's algorithm on: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
