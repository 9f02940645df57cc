"""The way of one call through the fake: who asks, whether and what they may ask, what is answered, what is noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import routes
from .endpoints.call import Answer, Call, PlatformCall
from .endpoints.media import require
from .errors import ApiError, Forbidden, NotFound
from .faults import UNHARMED, Strike
from .instances import Credentials, Instance
from .messages import Disconnect, Request, Response
from .replies import preflight, refusal, response

if TYPE_CHECKING:
    from .emulator import Emulator

STILL_ALLOWED = frozenset({"objects", "metadata", "ping"})
"""What a disabled instance still answers: `GET /objects` does, record calls are 403 (protocol.md 2.2)."""


@dataclass(slots=True)
class Visit:
    """One call, and what has become known of it; `now` is in seconds since 1970-01-01 UTC by the instance's clock."""

    emulator: Emulator
    request: Request
    request_id: str
    instance: Instance | None = None
    operation: str = ""
    job: str = ""
    now: float = 0.0
    strike: Strike = UNHARMED

    def answer(self) -> Response | Disconnect:
        """Answer the call as planned faults have it, and write it down in its instance's journal."""
        request = self.request
        if request.method == "OPTIONS":
            return preflight(request, self.request_id)
        try:
            answer = self._ask()
        except ApiError as error:
            answer = refusal(error, self.request_id)
        plain = response(answer, request, self.request_id, self.instance, self.now)
        delivered = self.strike.answer(plain, self.now)
        if request.method == "HEAD" and isinstance(delivered, Response):
            delivered = delivered._replace(body=b"")
        if self.instance is not None:
            self.instance.journal.add(
                self.now, self.operation, request, delivered, job=self.job, fault=str(self.strike)
            )
        return delivered

    def _ask(self) -> Answer:
        emulator, request = self.emulator, self.request
        hub, below = routes.strip(request.segments, emulator.beside)
        if below[:1] in routes.PLATFORM:
            return self._ask_platform(below)
        self.instance = instance = emulator.instances.authenticate(request.header("authorization"))
        self.now = now = instance.clock.now()
        emulator.runner.tick(instance, now)
        if hub and instance.dialect.quirks.hub_checked and hub != instance.connector.hub:
            raise NotFound(f"The element instance is in hub {instance.connector.hub!r}, not in {hub!r}")
        route, names = routes.match(request.method, instance.connector.fold(below))
        self.operation = route.operation
        if instance.disabled and route.operation not in STILL_ALLOWED:
            raise Forbidden("The element instance is disabled")
        require(request.header("accept"), route.produces)
        if route.operation == "status" and (job := instance.jobs.get(names["id"])):
            job.course.ask(now)
            request.passage.polled = job
        self.strike = request.passage.strike or instance.faults.take(route.operation)
        if self.strike.prevents:
            return Answer()
        call = Call(emulator, request, names, now, instance)
        try:
            return route.endpoint(call)
        finally:
            self.job = call.job

    def _ask_platform(self, below: tuple[str, ...]) -> Answer:
        """Calls about instances need User and Organization, lists of hubs nothing at all (protocol.md 1, 2.1)."""
        emulator, request = self.emulator, self.request
        route, names = routes.match(request.method, below)
        require(request.header("accept"), route.produces)
        credentials = Credentials()
        if route.scope == "platform":
            credentials = emulator.instances.user(request.header("authorization"), emulator.known_user)
        return route.endpoint(
            PlatformCall(emulator, request, names, emulator.defaults.clock().now(), credentials)
        )
