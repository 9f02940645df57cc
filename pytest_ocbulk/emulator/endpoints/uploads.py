"""Uploads become jobs (protocol.md 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadRequest
from ..instances import Instance
from ..jobs import Job
from ..timeline import Course
from ..upload import Upload, parse
from .bulk import CALLBACK_HEADER, stub
from .call import Answer, Call

if TYPE_CHECKING:
    from ..emulator import Emulator


def create_upload(call: Call) -> Answer:
    """`POST /bulk/{object}`: accept a file; an unknown object is accepted too and fails row by row (3.3).

    The vendor's bulk loader posts its files to `/bulk/workflows/fileUpload/{object}`; what that answers is in no
    source, so it is the same (3.8).
    """
    name = call.names["object"]
    check_uploadable(call.instance, name)
    callback_url = call.request.header(CALLBACK_HEADER) or None
    job = accept(call.emulator, call.instance, name, parse(call.request), call.now, callback_url)
    call.job = job.id
    return Answer(stub(call.instance, job))


def check_uploadable(instance: Instance, name: str) -> None:
    """Raise `BadRequest` for an object that takes no uploads."""
    shape = instance.shape(name)
    if shape is None and instance.dialect.quirks.unknown_object == "refuse":
        raise BadRequest(f"Object {name!r} does not exist")
    if shape is not None and not shape.upload:
        raise BadRequest(f"Bulk upload is not enabled for object {name!r}")  # 3.3, elementbuilder


def accept(
    emulator: Emulator,
    instance: Instance,
    name: str,
    upload: Upload,
    now: float,
    callback_url: str | None = None,
) -> Job:
    """Create the job of an upload."""
    plan = instance.plans.take(name)
    job = Job(
        id=emulator.ids.job(),
        instance_id=instance.id,
        object_name=name,
        direction="UPLOAD",
        course=Course(plan.timeline, now),
        created=now,
        file_format=upload.options.file_format,
        file_size=upload.size,
        digest=upload.digest,
        metadata=upload.options.text,
        callback_url=callback_url,
        callback_payload=upload.options.callback_payload,
    )
    emulator.runner.upload(instance, job, upload, plan)
    return job
