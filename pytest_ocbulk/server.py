"""The door with a socket: an app behind real HTTP, in a thread for tests or in the foreground.

One thread runs the event loop and answers. A second one, started when it is first needed, takes what would keep
the loop from answering: requests with large bodies, and the app's background work, slice by slice.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

from .emulator.errors import OcBulkError
from .emulator.messages import Request
from .http1.connection import Connection
from .http1.limits import Limits
from .http1.site import Answer, App, Site
from .http1.worker import Worker

__all__ = ["Answer", "App", "Limits", "Server"]

log = logging.getLogger("pytest_ocbulk.server")

_LIMITS = Limits()
_BACKLOG = 1024
_LAST_PORT = 65535
_SETTLE = 0.002
"""Seconds after an exchange until background work and the next due instant are looked at: once for many exchanges."""
_FIRST_PATIENCE, _LAST_PATIENCE = 0.01, 1.0
"""Seconds until the next `tick` when one has left undone what was due; doubled from the first to the last."""


class Server:
    """Serves `app` on `host` and `port`; port 0 takes a free one.

    As a context manager, or with `start` and `stop`, it runs in a thread; `serve_forever` runs it in the foreground.
    `on_wake` is called, from the loop or the worker, soon after the app has handled, ticked or worked: it may have
    callbacks to deliver. `on_exchange` is called on the loop with the request, its answer and the seconds from the
    arrival of the request's head until the answer was known. `grace` is how many seconds requests that are under way
    when the server is stopped may take to end.

    Raises `OcBulkError` when it cannot listen.
    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits = _LIMITS,
        on_wake: Callable[[], None] | None = None,
        on_exchange: Callable[[Request, Answer, float], None] | None = None,
        grace: float = 0.0,
    ) -> None:
        self.host = host
        self.port = port
        self._app = app
        self._wanted_port = port
        self._limits = limits
        self._on_wake = on_wake
        self._on_exchange = on_exchange
        self._grace = grace
        self._thread: threading.Thread | None = None
        self._running: _Running | None = None
        self._stopping = False

    @property
    def url(self) -> str:
        """Where clients on this machine reach it: `http://127.0.0.1:8765`."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(
            self.host, self.host
        )  # every address
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        """Run in a daemon thread; returns when connections are accepted. Does nothing when it runs already."""
        if self._thread is not None:
            return
        listener = self._listen()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run_in_thread, args=(listener, ready), name="ocbulk-server", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close the port and all connections, end the threads. Does nothing when it does not run."""
        self._stopping = True
        running, thread = self._running, self._thread
        if running is not None:
            running.stop()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
            self._thread = None

    def serve_forever(self, on_ready: Callable[[], None] | None = None) -> None:
        """Run in this thread until SIGINT, SIGTERM or `stop`; `on_ready` is called when connections are accepted."""
        listener = self._listen()
        with _signals_stop(self.stop):
            self._run(listener, on_ready or (lambda: None))

    def wake(self) -> None:
        """Look again for work and for what is due: the app was changed from outside. From any thread."""
        running = self._running  # read once: a server that ends in its own thread sets it to None
        if running is not None:
            running.wake()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> socket.socket:
        listener = _listener(self.host, self._wanted_port)
        self.port = listener.getsockname()[1]
        self._stopping = False
        return listener

    def _run_in_thread(self, listener: socket.socket, ready: threading.Event) -> None:
        try:
            self._run(listener, ready.set)
        finally:
            ready.set()  # `start` must not wait for a thread that failed

    def _run(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        try:
            asyncio.run(self._serve(listener, ready))
        finally:
            self._running = None
            listener.close()

    async def _serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        running = _Running(self._app, self._limits, self._on_wake, self._on_exchange, self._grace)
        self._running = running
        if self._stopping:  # a signal came before anybody could be stopped
            running.stop()
        await running.serve(listener, ready)


class _Running:
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
        self._alarm: asyncio.TimerHandle | None = None
        self._patience = 0.0
        self._site = Site(app, limits, self._loop, self._worker.submit, self._settle_soon, on_exchange)
        self._sweep_interval = min(1.0, limits.idle_timeout / 4, limits.body_timeout / 4, limits.linger)

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Accept connections until `stop`."""
        accepting = await self._loop.create_server(
            lambda: Connection(self._site), sock=listener, backlog=_BACKLOG
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
        deadline = time.monotonic() + self._grace
        while time.monotonic() < deadline:
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
        now = time.monotonic()
        for connection in tuple(self._site.connections):
            connection.expire(now)

    def _settle_soon(self) -> None:
        self._patience = 0.0
        if self._settling is None:
            self._settling = self._loop.call_later(_SETTLE, self._settle)

    def _settle(self) -> None:
        """After a few exchanges: let the worker see what there is to do, and be back when something is due."""
        self._settling = None
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


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. Without IPPROTO_TCP asyncio would leave Nagle's algorithm on: 40 ms an answer."""
    listener = None
    try:
        if not 0 <= port <= _LAST_PORT:  # the look-up below would cut it to 16 bits without a word
            raise OverflowError
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise OcBulkError(_cannot_listen(host, port, error)) from error
    return listener


def _cannot_listen(host: str, port: int, error: Exception) -> str:
    where = f"cannot listen on {host}:{port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"{where}: the port is in use; end the other program or choose another port (0 takes a free one)"
        )
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"{where}: not allowed; choose a port from 1024 on (0 takes a free one)"
    if isinstance(error, OverflowError):
        return f"{where}: a port is a number from 0 to {_LAST_PORT}"
    if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work"
    return f"{where}: {error}"


@contextlib.contextmanager
def _signals_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM call `stop`, where Python allows it: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
