"""The door with a socket: an app behind real HTTP, in a thread for tests or in the foreground.

One thread runs the event loop and answers. A second one, started when it is first needed, takes what would keep
the loop from answering: requests with large bodies, and the app's background work, slice by slice.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

from . import machine_time
from .emulator.messages import Request
from .http1.limits import Limits
from .http1.listening import listen
from .http1.running import Running
from .http1.site import Answer, App

__all__ = ["Answer", "App", "Limits", "Server"]

_LIMITS = Limits()


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
        self._running: Running | None = None
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
        listener = listen(self.host, self._wanted_port)
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
            with asyncio.Runner(loop_factory=_MachineTimeLoop) as runner:
                runner.run(self._serve(listener, ready))
        finally:
            self._running = None
            listener.close()

    async def _serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        running = Running(self._app, self._limits, self._on_wake, self._on_exchange, self._grace)
        self._running = running
        if self._stopping:  # a signal came before anybody could be stopped
            running.stop()
        await running.serve(listener, ready)


class _MachineTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go on when a test stops the clock of the `time` module."""

    def time(self) -> float:
        return machine_time.monotonic()


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
