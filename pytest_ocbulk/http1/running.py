"""One run of a server: the loop's timers, the worker, and the end of it all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import Callable

from .. import machine_time
from ..emulator.messages import Request
from .connection import Connection
from .limits import Limits
from .listening import BACKLOG
from .site import Answer, App, Site
from .worker import Worker

log = logging.getLogger("pytest_ocbulk.server")

_SETTLE = 0.002
"""Seconds between two looks at background work and the next due instant: at once after an exchange that comes alone, so
that a small upload is applied while its client reads the answer; once for many that come together."""
_FIRST_PATIENCE, _LAST_PATIENCE = 0.01, 1.0
"""Seconds until the next `tick` when one has left undone what was due; doubled from the first to the last."""


class Running:
    """One run of a server, from start to stop: the loop's timers and what the connections share."""

    def __init__(
        self,
        app: App,
        limits: Limits,
        on_wake: Callable[[], None] | None,
        on_exchange: Callable[[Request, Answer, float], None] | None,
        grace: float,
    ) -> None:
        self._app = app
        self._grace = grace
        self._on_wake = on_wake or (lambda: None)
        self._loop = asyncio.get_running_loop()
        self._stopped = self._loop.create_future()
        self._worker = Worker(self._work)
        self._settling: asyncio.TimerHandle | None = None
        self._settled = -math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._patience = 0.0
        self._site = Site(app, limits, self._loop, self._worker.submit, self._settle_soon, on_exchange)
        self._sweep_interval = min(1.0, limits.idle_timeout / 4, limits.body_timeout / 4, limits.linger)

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Accept connections until `stop`."""
        accepting = await self._loop.create_server(
            lambda: Connection(self._site), sock=listener, backlog=BACKLOG
        )
        self._sweep()
        self._settle_soon()
        ready()
        try:
            await self._stopped
        finally:
            accepting.close()
            await self._finish_requests()
            await self._close_connections()
            self._worker.stop()

    def stop(self) -> None:
        """End the run. From any thread, any number of times."""
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._end)

    def wake(self) -> None:
        """Settle soon. From any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle_soon)

    def _end(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _finish_requests(self) -> None:
        """Let requests that are under way come to their end, for a while; nobody else is waited for."""
        deadline = machine_time.monotonic() + self._grace
        while machine_time.monotonic() < deadline:
            busy = [connection for connection in tuple(self._site.connections) if connection.finish()]
            if not busy:
                return
            await asyncio.sleep(_SETTLE)

    async def _close_connections(self) -> None:
        # A connection is made and lost in several turns of the loop; ten are more than any of them takes.
        for _ in range(10):
            for connection in tuple(self._site.connections):
                connection.abort()
            await asyncio.sleep(0)

    def _sweep(self) -> None:
        """One coarse timer for the deadlines of all connections costs less than one timer for each request."""
        self._loop.call_later(self._sweep_interval, self._sweep)
        now = machine_time.monotonic()
        for connection in tuple(self._site.connections):
            connection.expire(now)

    def _settle_soon(self) -> None:
        self._patience = 0.0
        if self._settling is None:
            self._settling = self._loop.call_at(self._settled + _SETTLE, self._settle)

    def _settle(self) -> None:
        """After a few exchanges: let the worker see what there is to do, and be back when something is due."""
        self._settling = None
        self._settled = self._loop.time()
        if self._app.has_work:
            self._worker.wake()
        self._await_due()
        self._wake_others()

    def _await_due(self) -> None:
        """Be back when something is due; ever later when it is due still after `tick`.

        Then the app's clock stands still, or is a little behind ours, or nobody takes its callbacks.
        """
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        try:
            wait = self._app.next_due()
        except Exception:
            log.exception("the app could not say what is due next")
            return
        if wait is None or wait > _FIRST_PATIENCE:
            self._patience = 0.0
        if wait is not None:
            self._alarm = self._loop.call_later(max(wait, self._patience), self._tick)

    def _tick(self) -> None:
        self._patience = min(_LAST_PATIENCE, 2 * self._patience or _FIRST_PATIENCE)
        try:
            self._app.tick()
        except Exception:
            log.exception("the app could not let things happen")
        self._settle()

    def _work(self) -> bool:
        more = self._app.work()
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._await_due)
        self._wake_others()
        return more

    def _wake_others(self) -> None:
        try:
            self._on_wake()
        except Exception:
            log.exception("who was to be woken failed")
