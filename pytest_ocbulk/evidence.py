"""What a fake knows about what was done to it: the facts that assertions and reports are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .emulator import routes
from .emulator.clock import milliseconds
from .emulator.collection import Collection
from .emulator.connectors import ObjectDefinition
from .emulator.emulator import Emulator
from .emulator.errors import ApiError, OcBulkError, nearest
from .emulator.instances import Instance
from .emulator.jobs import Job
from .emulator.journal import Exchange
from .emulator.selection import Selection
from .emulator.stored_values import decode


class HasId(Protocol):
    """A job as a test or a client holds it."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...


WhichJob = str | int | HasId
"""A job by its id, as text or as the number that a service with `id_type=number` writes, or a job itself."""


def job_id(which: object) -> str:
    """The id of the job that is meant, a decimal string; raises `OcBulkError` for what is no job."""
    name = getattr(which, "id", which)
    if isinstance(name, str) or (isinstance(name, int) and not isinstance(name, bool)):
        return str(name)
    raise OcBulkError(f"a job is named by its id, such as '1234', or is one of ocbulk.jobs, got {which!r}")


class Evidence:
    """The facts about one instance, as of now by its clock. `seeded` holds what was there before: rows by object.

    `deliver` lets the callbacks be posted that are due; it is called without the emulator's lock.
    """

    def __init__(
        self, emulator: Emulator, instance: Instance, deliver: Callable[[], None] = lambda: None
    ) -> None:
        self.emulator = emulator
        self.instance = instance
        self.seeded: dict[str, set[int]] = {}
        self._deliver = deliver

    @property
    def began(self) -> float:
        """When the instance was made, in seconds since 1970-01-01 UTC."""
        return self.instance.created

    def tick(self) -> None:
        """Let everything happen that is due by the clock; not for callers that hold the emulator's lock.

        Who asks how things are calls this first, so that asking for one thing never changes another.
        """
        with self.emulator.lock:
            self.emulator.runner.tick(self.instance, self.instance.clock.now())
        self._deliver()

    def job(self, which: WhichJob) -> Job:
        """The job that is meant; raises `OcBulkError` with those that there are."""
        name, jobs = job_id(which), self.instance.jobs
        if name not in jobs:
            raise OcBulkError(f"there is no job {name!r}; {self.known_jobs()}")
        return jobs[name]

    def known_jobs(self) -> str:
        """The jobs that there are, in words."""
        ids = ", ".join(self.instance.jobs)
        return f"the jobs so far are {ids}" if ids else "no job was created so far"

    def shape(self, name: object) -> ObjectDefinition:
        """The definition of an object; raises `OcBulkError` with the nearest name when there is none."""
        shape = self.instance.shape(name) if isinstance(name, str) else None
        if shape is None:
            objects = [*self.instance.connector.objects, *self.instance.tables]
            raise OcBulkError(f"{self.instance.connector.key} has no object {name!r}{nearest(name, objects)}")
        return shape

    def collection(self, shape: ObjectDefinition) -> Collection:
        """The records of an object; to be used under the emulator's lock."""
        return self.emulator.store.collection(self.instance.id, shape.name, shape)

    def arrived(self, shape: ObjectDefinition) -> list[dict[str, Any]]:
        """The visible records of an object that were not seeded, oldest first, by column; missing values left out."""
        seeded = self.seeded.get(shape.name, set())
        with self.emulator.lock:
            records = self.collection(shape)
            paths = records.paths
            rows = records.select(self._visible(), paths=paths)
        return [
            {path: decode(value) for path, value in zip(paths, row[1:], strict=True) if value is not None}
            for row in rows
            if row[0] not in seeded
        ]

    def hidden(self, shape: ObjectDefinition) -> int:
        """How many records are there but not visible yet."""
        with self.emulator.lock:
            records = self.collection(shape)
            return records.count() - records.count(self._visible())

    def _visible(self) -> Selection:
        return Selection(now=milliseconds(self.instance.clock.now()))

    def uploads(self) -> list[Job]:
        """All upload jobs, oldest first."""
        return [job for job in self.instance.jobs.values() if job.direction == "UPLOAD"]

    def failures(self, job: Job) -> list[tuple[int, str]]:
        """The failed rows of a job, their number and the text of their error."""
        with self.emulator.lock:
            return self.emulator.store.failures(job.id, 0, -1)

    def upload_of(self, job: Job) -> Exchange | None:
        """The call that created an upload job, None when the journal no longer has it."""
        return next(
            (each for each in self.instance.journal if each.job == job.id and each.operation == "upload"),
            None,
        )

    def about(self, exchange: Exchange) -> Mapping[str, str]:
        """The names in the path of a call: `object`, `id`; none for an unknown path."""
        try:
            _, below = routes.strip(tuple(filter(None, exchange.path.split("/"))))
            return routes.match(exchange.method, self.instance.connector.fold(below))[1]
        except ApiError:
            return {}
