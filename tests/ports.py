"""Ports of this machine that nobody else can take while a test relies on them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port(port: int = 0) -> Iterator[int]:
    """A port (0: any) at which connections are refused: somebody has it and does not listen."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        yield int(holder.getsockname()[1])


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port for a server of ours to listen on, again and again, if it sets SO_REUSEADDR as `Server` does."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":  # elsewhere two sockets cannot share it, whatever they set
            holder.close()
        yield port
