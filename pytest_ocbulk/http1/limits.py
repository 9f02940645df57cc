"""How much a client may ask of the server."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Sizes are bytes, times are seconds.

    A head larger than `max_header_bytes` or with more than `max_headers` lines is answered 431. A request that has
    begun and of which nothing comes for `body_timeout` is answered 408 (a head has to be complete within
    that time). A connection on which nothing is asked, or nothing is read, for `idle_timeout` is closed.
    After a refusal the rest of the request is thrown away for at most `linger`, so that the client can read
    the answer. Connections beyond `max_connections` are answered 503. The size of a body is limited by the
    app, for each request (`Reception.limit`, 413).
    """

    max_header_bytes: int = 64 * 1024
    max_headers: int = 100
    idle_timeout: float = 75.0
    body_timeout: float = 30.0
    linger: float = 2.0
    max_connections: int | None = None
