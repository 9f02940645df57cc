"""The one seam: `Emulator.handle(Request) -> Response | Disconnect`.

Doors call `handle`, and let time and work go on through `tick`, `next_due`, `work` and `take_callbacks`; who has
posted a callback says so with `callback_tried`. All of them may be called from any thread: there is one lock, here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from . import routes
from .callbacks import Attempt, Callback, Outcome
from .clock import Clock, ManualClock
from .connectors import BUILT_IN, Connector, built_in
from .dialect import DOCUMENTED, Dialect
from .endpoints.bulk import status_body
from .endpoints.workflows import resume as resume_transfers
from .errors import ApiError, OcBulkError
from .ids import Ids
from .instances import Credentials, Instance, Instances
from .jobs import ABORTED, SUCCESSFUL, Job
from .ledger import DataFileLost, Ledger
from .messages import OPEN_RECEPTION, SPOOL_BYTES, Disconnect, Reception, Request, Response, unsendable
from .replies import refusal, response
from .runner import Runner
from .store import Store
from .timeline import Timeline
from .upload import read_ahead
from .visit import Visit
from .workflows import Transfers


class Defaults(NamedTuple):
    """What an instance made over the API starts with; `quirks` win over those of its connector's file."""

    dialect: Dialect = DOCUMENTED
    quirks: Mapping[str, object] = MappingProxyType({})
    timeline: Timeline | None = None
    clock: Callable[[], Clock] = ManualClock


_LOST = "The fake can no longer write its data file; what was answered before is in it"
"""The 500 that every call gets from then on; the operator is told more (`Ledger.failure`)."""


class Emulator:
    """The fake service. `background`: a door's worker calls `work`, so large uploads need not block a call.

    `connectors` are those of which `POST /instances` can make instances, by their key; by default the built-in ones.
    On a `store` with a data file it goes on where the last one ended; raises `OcBulkError` when it cannot.
    """

    def __init__(
        self,
        *,
        store: Store | None = None,
        ids: Ids | None = None,
        background: bool = False,
        max_upload: int | None = None,
        known_user: Credentials | None = None,
        defaults: Defaults | None = None,
        connectors: Mapping[str, Connector] | None = None,
    ) -> None:
        self.store = store or Store()
        self.ledger = _ledger_for(self.store)
        self.lock = self.ledger.lock
        self.ids = ids or Ids()
        self.defaults = defaults or Defaults()
        self.max_upload = max_upload
        self.beside = ""  # what a refusal of a path outside of the API names as well
        self.known_user = known_user
        self._connectors = connectors
        self.instances = Instances()
        self.transfers = Transfers()
        self.runner = Runner(self.store, self.ledger, background=background, describe=status_body)
        self.ledger.restore(self)
        resume_transfers(self)

    # -- instances --------------------------------------------------------------------------------------

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """The connectors by key; the built-in ones are read when they are first asked for."""
        if self._connectors is None:
            self._connectors = {key: built_in(key) for key in BUILT_IN}
        return self._connectors

    def create_instance(
        self,
        connector: Connector,
        *,
        token: str | None = None,
        user_secret: str | None = None,
        organization_secret: str | None = None,
        clock: Clock | None = None,
        dialect: Dialect | None = None,
        quirks: Mapping[str, object] | None = None,
        name: str = "",
        configuration: dict[str, str] | None = None,
        tags: tuple[str, ...] = (),
    ) -> Instance:
        """Make an instance; what is not given is made up (secrets) or taken from the defaults.

        `quirks` win over those of the connector's file, which win over those of the dialect; raises
        `OcBulkError` for an unknown name or value, and for a secret that no Authorization header can hold.
        """
        _check_sendable(token=token, user_secret=user_secret, organization_secret=organization_secret)
        with self.lock:
            number = self.ids.instance()
            clock = clock or self.defaults.clock()
            instance = Instance(
                id=number,
                token=token or self.ids.secret("element", number),
                user_secret=user_secret or self.ids.secret("user", number),
                organization_secret=organization_secret or self.ids.secret("organization", number),
                connector=connector,
                dialect=(dialect or self.defaults.dialect).with_quirks(
                    {**connector.quirks, **self.defaults.quirks, **(quirks or {})}
                ),
                clock=clock,
                name=name or connector.name,
                tags=tags,
                configuration=dict(configuration or {}),
                created=clock.now(),
            )
            if self.defaults.timeline is not None:
                instance.plans.default = self.defaults.timeline
            self.instances.add(instance)
            self.ledger.instance(instance)
            return instance

    def close_instance(self, instance: Instance) -> None:
        """Forget an instance and everything that belongs to it."""
        with self.lock:
            self.instances.remove(instance)
            self.empty_instance(instance)
            self.ledger.gone(instance)

    def empty_instance(self, instance: Instance) -> None:
        """Forget the jobs and the records of an instance, and the callbacks that it owes."""
        with self.lock:
            self.transfers.forget(instance)
            self.ledger.transfers()
            self.runner.forget(instance)

    def close(self) -> None:
        """Give everything back; what a data file holds stays there."""
        if self.ledger.kept:
            self.runner.close()
        else:
            for instance in self.instances:
                self.close_instance(instance)
        self.store.close()

    # -- the seam ---------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | Disconnect:
        """Answer one call; the only way to reach the fake."""
        kept = ""
        try:
            if request.size > SPOOL_BYTES:
                kept = self._read_ahead(request)
            with self.lock:
                answer = Visit(self, request, self.ids.request()).answer()
                if kept:
                    self.ledger.file_unwanted(kept)
                return answer
        except DataFileLost:
            request_id = self.ids.request()
            return response(refusal(ApiError(_LOST), request_id), request, request_id)
        finally:
            if request.passage.form is not None:  # read ahead, and then not wanted
                request.passage.form.close()

    def _read_ahead(self, request: Request) -> str:
        """Read the form of a large upload, and keep its file, while other calls are answered; its key if it is kept."""
        with self.lock:
            try:
                _, operation = self._addressed(request)
            except ApiError:
                return ""  # the visit will say why
        if operation != "upload":
            return ""
        form = read_ahead(request)
        if form.file is not None and form.refusal is None:
            form.kept = self.ledger.file_ahead(form.file)
        return form.kept

    def receive(self, head: Request) -> Reception:
        """How the body of a request is to be received, asked when its head has arrived.

        Planned faults of the body strike here; the call is then handed to `handle` with the same `passage`.
        """
        reception = OPEN_RECEPTION if self.max_upload is None else Reception(limit=self.max_upload)
        with self.lock:
            try:
                instance, operation = self._addressed(head)
            except ApiError:
                return reception  # `handle` will say why
            strike = head.passage.strike = instance.faults.arriving(operation)
            if strike is None:
                return reception
            announced = head.header("content-length")
            reception = strike.reception(reception, int(announced) if announced.isdigit() else None)
            if reception.reset_after is not None:  # `handle` will not hear of it
                now = instance.clock.now()
                instance.journal.add(now, operation, head, Disconnect(), fault=str(strike))
            return reception

    def _addressed(self, head: Request) -> tuple[Instance, str]:
        """The instance and the operation that a call is about."""
        _, below = routes.strip(head.segments)
        instance = self.instances.authenticate(head.header("authorization"))
        return instance, routes.match(head.method, instance.connector.fold(below))[0].operation

    # -- time, work and effects ---------------------------------------------------------------------------

    def tick(self) -> None:
        """Do all that is due by now."""
        with self.lock:
            for instance in self.instances:
                self.runner.tick(instance, instance.clock.now())
            self.ledger.tidy()

    def next_due(self) -> float | None:
        """Seconds from now until `tick` or `take_callbacks` has something to do; None: not before the next call."""
        with self.lock:
            callback_due = self.next_callback()
            waits = [] if callback_due is None else [callback_due]
            for instance in self.instances:
                due = self.runner.next_due(instance)
                if due is not None:
                    waits.append(due - instance.clock.now())
            return max(0.0, min(waits)) if waits else None

    @property
    def has_work(self) -> bool:
        """Whether `work` has something to do."""
        return self.runner.has_work or self.ledger.untidy

    def work(self) -> bool:
        """Do one slice of waiting work; whether there is more. The lock is held for the writing only."""
        with self.lock:
            task = self.runner.next_task()
        if task is None:
            return self.ledger.tidy()
        piece = None
        try:
            piece = task.work.prepare()
        finally:
            with self.lock:
                self.runner.advance(task, piece, task.instance.clock.now())
                more = self.runner.has_work
        return more

    def take_callbacks(self) -> list[Callback]:
        """The callbacks that are due, to be posted by the caller."""
        with self.lock:
            return self.runner.outbox.take(self._now_of)

    @property
    def has_callbacks(self) -> bool:
        """Whether any callback waits to be posted, now or later."""
        return not self.runner.outbox.empty

    def next_callback(self) -> float | None:
        """Seconds until the next callback is due, 0 when one is; None: no callback waits."""
        with self.lock:
            due = self.runner.outbox.next_due(self._now_of)
            return None if due is None else max(due, 0.0)

    def callback_tried(
        self,
        callback: Callback,
        outcome: Outcome,
        *,
        status: int = 0,
        failure: str = "",
        retry_scale: float = 1.0,
    ) -> Attempt | None:
        """Write down what came of posting a callback; a failed one is due again later, up to `MAX_RETRIES` times.

        `retry_scale` multiplies the waits between the tries. None: its instance is gone.
        """
        with self.lock:
            instance = self.instances.by_id(callback.instance_id)
            if instance is None:
                return None
            attempt = self.runner.outbox.tried(
                callback, instance.clock.now(), outcome, status, failure, retry_scale
            )
            instance.callbacks.add(attempt)
            return attempt

    def _now_of(self, instance_id: int) -> float:
        instance = self.instances.by_id(instance_id)
        return instance.clock.now() if instance else float("inf")

    # -- moving jobs by hand ------------------------------------------------------------------------------

    def advance_job(self, instance: Instance, job: Job) -> None:
        """Take one step of a job's timeline now; raises `OcBulkError` when there is none."""
        with self.lock:
            self.runner.advance_job(instance, job, instance.clock.now())

    def finish_job(self, instance: Instance, job: Job) -> None:
        """Go to the end of a job's timeline now, to success where it has none; a job that has succeeded stays as it is.

        It may have got there by itself a moment before. Raises `OcBulkError` for one that has failed.
        """
        with self.lock:
            if job.status not in SUCCESSFUL:
                self.runner.finish_job(instance, job, instance.clock.now())

    def fail_job(self, instance: Instance, job: Job, error: str, status: str = ABORTED) -> None:
        """End a job in ABORTED or ERROR now, with this error; raises `OcBulkError` if it has ended."""
        with self.lock:
            self.runner.fail_job(instance, job, error, instance.clock.now(), status)


def _ledger_for(store: Store) -> Ledger:
    if not store.path:
        return Ledger()
    from .kept_ledger import KeptLedger  # what only a data file needs costs no test its start

    return KeptLedger(store)


def _check_sendable(**secrets: str | None) -> None:
    for name, secret in secrets.items():
        if secret and (complaint := unsendable(secret)):
            raise OcBulkError(f"{name} {complaint}; choose another")
