"""An emulator goes on where the last process on its data file ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from .documents import Document, callback_of, instance_of, job_of, transfer_of
from .errors import OcBulkError
from .store import Store

if TYPE_CHECKING:
    from .emulator import Emulator
    from .kept_files import KeptFiles


def resume_numbers(emulator: Emulator) -> int:
    """Let the numbers of instances, jobs and receipts go on behind those that are used; return that of the process."""
    counters = _meta(emulator.store, "counters")
    used = tuple(json.loads(str(counters))) if counters else emulator.ids.counters
    run = int(str(_meta(emulator.store, "runs")))
    emulator.ids.resume(used, run)
    return run


def restore(emulator: Emulator, files: KeptFiles) -> None:
    """Bring back instances, callbacks, jobs and workflows.

    Raises `OcBulkError` for an instance of a connector that the emulator does not know.
    """
    store = emulator.store
    for (text,) in _rows(store, "SELECT document FROM instances ORDER BY id"):
        _restore_instance(emulator, json.loads(str(text)))
    for text, body in _rows(store, "SELECT document, body FROM callbacks ORDER BY number"):
        emulator.runner.outbox.restore(callback_of(json.loads(str(text)), bytes(cast("bytes", body))))
    for (text,) in _rows(store, "SELECT document FROM jobs ORDER BY number"):
        _restore_job(emulator, files, json.loads(str(text)))
    files.keep_only({files.key_of(job.id) for instance in emulator.instances for job in instance.running})
    for (text,) in _rows(store, "SELECT document FROM transfers ORDER BY id"):
        run = transfer_of(json.loads(str(text)), emulator.instances.by_id)
        if run is not None:
            emulator.transfers.restore(run)


def _restore_instance(emulator: Emulator, document: Document) -> None:
    key = str(document["connector"])
    connector = emulator.connectors.get(key)
    if connector is None:
        raise OcBulkError(
            f"{emulator.store.path}: holds an instance of connector {key!r}, which is not known here;"
            f" start with --connector and the file of {key!r}, or choose another data file"
        )
    instance = instance_of(document, connector, emulator.defaults.clock())
    if emulator.defaults.timeline is not None:
        instance.plans.default = emulator.defaults.timeline
    emulator.instances.add(instance)
    for name in emulator.store.names(instance.id):
        shape = None if name.startswith("\0") else instance.shape(name)
        if shape is not None:
            emulator.store.collection(instance.id, name, shape)


def _restore_job(emulator: Emulator, files: KeptFiles, document: Document) -> None:
    job, pending, announced = job_of(document)
    instance = emulator.instances.by_id(job.instance_id)
    if instance is None:
        return
    file = None
    if pending is not None and pending.options is not None:
        files.assign(job.id, pending.file)
        file = files.read(pending.file)
    emulator.runner.resume(instance, job, pending, announced, file)


def _meta(store: Store, name: str) -> object:
    found = next(_rows(store, "SELECT value FROM meta WHERE name = ?", name), (None,))
    return found[0]


def _rows(store: Store, query: str, *values: object) -> Iterator[tuple[object, ...]]:
    return iter(store.db.execute(query, values).fetchall())
