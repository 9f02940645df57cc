"""The control API below `/__ocbulk__/`: the fake's own switches, for tests in any language, tools and people.

`ControlApi.handle` has the shape of `Emulator.handle`, so every door can serve it; `app.py` puts the two behind one
port. Answers are JSON, refusals `{"message"}` with what was expected, what came and what to do.

The calls reach into all of the package: they are imported by the first one, for many servers are never controlled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import ApiError, OcBulkError
from pytest_ocbulk.emulator.ledger import DataFileLost
from pytest_ocbulk.emulator.messages import JSON, Reception, Request, Response

from .guard import ON_THIS_MACHINE, Guard

if TYPE_CHECKING:
    from .control_calls import ControlRoute

ROOT = "/__ocbulk__"
SEGMENT = ROOT.strip("/")
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a request body."""


class NotThere(OcBulkError):
    """404: no such path, instance, job or document."""


class WrongMethod(OcBulkError):
    """405: the path is there, the method is not."""


class ControlApi:
    """Answers control calls about one emulator.

    `guard` says who may call; by default who may call a server on this machine. `deliver` lets callbacks that have
    become due be posted; it is called under the emulator's lock, so it must leave the posting to another thread.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        guard: Guard = ON_THIS_MACHINE,
        deliver: Callable[[], object] | None = None,
    ) -> None:
        self.guard = guard
        self._emulator = emulator
        self._deliver = deliver

    def receive(self, head: Request) -> Reception:  # noqa: ARG002  # the same for all
        """How the body of a control call is received."""
        return Reception(limit=BODY_LIMIT)

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        refusal = self.guard.refusal(request)
        if refusal is not None:
            extra = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
            return _response(refusal.status, {"message": refusal.message}, request, extra)
        try:
            payload = self._ask(request)
        except (OcBulkError, ApiError) as error:
            return _response(_status(error), {"message": str(error)}, request)
        return _response(200, payload, request)

    def _ask(self, request: Request) -> Any:
        from .control_call import ControlCall

        route, names = match(request.method, request.segments[1:])
        with self._emulator.lock:
            return route.answer(ControlCall(self._emulator, request, names, self._deliver))


def match(method: str, segments: tuple[str, ...]) -> tuple[ControlRoute, dict[str, str]]:
    """The call that a path below the root stands for, and the values of its names; HEAD is matched as GET.

    Raises `NotThere` for an unknown path and `WrongMethod` for a known one with another method.
    """
    from .control_calls import CALLS

    wanted = "GET" if method == "HEAD" else method
    found = [(each, names) for each in CALLS if (names := _bind(each.parts, segments)) is not None]
    for route, names in found:
        if route.method == wanted:
            return route, names
    path = "/".join((ROOT, *segments))
    if found:
        allowed = ", ".join(sorted(route.method for route, _ in found))
        raise WrongMethod(f"{path} knows {allowed}, got {method}")
    raise NotThere(f"there is no {path}; GET {ROOT}/ lists the calls")


def _bind(parts: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    if len(parts) != len(segments):
        return None
    names: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            names[part[1:-1]] = segment
        elif part != segment:
            return None
    return names


_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotThere, 404),
    (WrongMethod, 405),
    (DataFileLost, 503),
)


def _status(error: Exception) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def _response(status: int, payload: Any, request: Request, extra: dict[str, str] | None = None) -> Response:
    body = json.dumps(payload, ensure_ascii=False).encode()
    headers = {
        "Content-Type": JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **(extra or {}),
    }
    return Response(status, headers, b"" if request.method == "HEAD" else body)
