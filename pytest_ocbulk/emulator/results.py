"""A query job becomes a result: a snapshot of the selected records, streamed as CSV or JSON.

`Extraction` is the work of a query or download job; what it found is read in blocks (`reading.py`), and
`result_files.py` writes them down.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from . import jobs
from .collection import Collection
from .connectors import ObjectDefinition
from .instances import Instance
from .jobs import Job
from .predicate_sql import to_sql
from .reading import Reading
from .selection import Selection
from .store import Store
from .table import MAX_COLUMNS

if TYPE_CHECKING:
    from .ocnql import Select


class Criteria(NamedTuple):
    """What a query asks for: a select, bounds on the time of change (ms), and how many records to pass over.

    `skip` is what the jobs took that this one continues.
    """

    select: Select
    changed_from: int | None = None
    changed_to: int | None = None
    skip: int = 0

    def selection(self, now: int) -> Selection:
        """The records to be taken, of those visible at `now` (ms)."""
        return Selection(self.select.where, self.changed_from, self.changed_to, now)

    def paths(self, source: Collection) -> list[str]:
        """The columns of the answer; a name that stands for a branch (`address`) means all its leaves."""
        return expand(self.select.fields, source) if self.select.fields else source.paths

    def unknown_field(self, source: Collection) -> str | None:
        """The first field that the records cannot have, wherever in the query it stands."""
        named = [*self.paths(source), *(each.field for each in self.select.order)]

        def noted(field: str) -> str:
            named.append(field)
            return "NULL"

        if self.select.where is not None:
            to_sql(self.select.where, noted)
        return next((field for field in named if not source.knows(field)), None)


def expand(names: Iterable[str], source: Collection) -> list[str]:
    """The columns that names stand for, each once: themselves, or the leaves below them (protocol.md 3.7, 9.2)."""
    expanded: list[str] = []
    for name in names:
        below = [path for path in source.paths if path.startswith((f"{name}.", f"{name}[*]"))]
        expanded += below if below and name not in source.paths else [name]
    return list(dict.fromkeys(expanded))


class Extraction:
    """The work of one query job: the selection is copied as it stands at the job's end."""

    failure_status = jobs.ERROR
    info: str | None = None

    def __init__(self, source: Collection, result: Collection, criteria: Criteria) -> None:
        self.source = source
        self.result = result
        self.criteria = criteria
        self.done = self.failed = 0
        self.error = ""
        self.finished = False

    def prepare(self) -> None:
        """Nothing can be done before the store is at hand."""

    def commit(self, store: Store, piece: object, now: int) -> None:  # noqa: ARG002  # as Application.commit
        """Copy the selection; an unknown field of a declared object ends the job (protocol.md 9.4)."""
        self.finished = True
        select = self.criteria.select
        if unknown := self.criteria.unknown_field(self.source):
            self.error = f"Unknown field {unknown!r} in {select.object}"
            return
        paths = self.criteria.paths(self.source)
        if len(paths) > MAX_COLUMNS:
            self.error = f"Expected at most {MAX_COLUMNS} fields of {select.object}, got {len(paths)}"
            return
        with store.transaction():
            self.done = self.source.copy_to(
                self.result,
                self.criteria.selection(now),
                paths,
                select.order,
                select.limit,
                self.criteria.skip,
            )

    def abandon(self) -> None:
        """Nothing was begun."""

    def close(self) -> None:
        """Nothing is held open."""


def extraction(store: Store, instance: Instance, job: Job) -> Extraction:
    """The work of a query job; its criteria say what is to be found."""
    if job.criteria is None:
        raise ValueError(f"job {job.id} is no query")
    shape = instance.shape(job.object_name) or ObjectDefinition(job.object_name)
    source = store.collection(instance.id, job.object_name, shape)
    return Extraction(source, store.collection(instance.id, result_name(job.id), RESULT), job.criteria)


def result_name(job_id: str) -> str:
    """The name of the collection that holds the result of a job; no object can be called so."""
    return f"\0result {job_id}"


RESULT = ObjectDefinition("\0result", primary_key="\0row")
"""Results are rows of any columns; their key is their place."""


def reading(
    source: Collection, criteria: Criteria, now: int, lock: AbstractContextManager[object]
) -> Reading:
    """A query's records where they are, at the instant `now` (ms); `lock` is held while a block of them is read."""
    return Reading(
        source,
        criteria.paths(source),
        criteria.selection(now),
        order=criteria.select.order,
        skip=criteria.skip,
        limit=criteria.select.limit,
        lock=lock,
    )
