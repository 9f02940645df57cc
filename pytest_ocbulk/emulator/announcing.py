"""The end of a job is announced: its status body is put into the outbox, signed, as the planned fault has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .callbacks import SIGNATURE_HEADER, SIGNATURE_KEY, Attempt, Callback, Outbox, sign
from .faults import CALLBACK, Strike
from .instances import Instance
from .jobs import Job
from .messages import JSON
from .timeline import Timeline


class Announced(NamedTuple):
    """The callback of a job went out ahead of its end, which will show this error."""

    error: str | None = None


class Announcements:
    """Announces ends of jobs, and remembers those that were announced ahead of being shown.

    `describe` gives the status body of a job.
    """

    def __init__(self, outbox: Outbox, describe: Callable[[Instance, Job], dict[str, object]]) -> None:
        self._outbox = outbox
        self._describe = describe
        self._ahead: dict[str, Announced] = {}

    def of(self, job: Job) -> Announced | None:
        """What was announced of a job that has not shown its end yet."""
        return self._ahead.get(job.id)

    def restore(self, job: Job, announced: Announced) -> None:
        """Remember what an earlier process has announced."""
        self._ahead[job.id] = announced

    def forget(self, job: Job) -> Announced | None:
        """Its end is shown, or the job is forgotten; return what was announced of it."""
        return self._ahead.pop(job.id, None)

    def announce(self, instance: Instance, job: Job, status: str, at: float) -> Timeline | None:
        """Announce that a job ends in a status at an instant, with the error that it has.

        Where a planned fault puts a time between the two, that is the course to take instead: the job shows its error
        only at the end of it.
        """
        strike = instance.faults.take(CALLBACK)
        self._post(instance, job.moved(status, at), strike, at)
        detour = strike.fault.detour(job.status, status)
        if detour is not None:
            self._ahead[job.id] = Announced(job.error)
            job.error = None
        return detour

    def _post(self, instance: Instance, job: Job, strike: Strike, at: float) -> None:
        payload = self._describe(instance, job)
        if job.callback_payload is not None:
            payload["callback-payload"] = job.callback_payload
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers, due = signed_headers(instance, body), at + instance.dialect.quirks.callback_lag
        url, fault = job.callback_url or "", str(strike)
        sent = strike.fault.callbacks(Callback(instance.id, job.id, url, body, headers, due, fault=fault))
        for callback in sent:
            self._outbox.add(callback)
        if not sent:
            dropped = "a fault was planned"
            instance.callbacks.add(
                Attempt(due, job.id, url, body, headers, 1, "dropped", failure=dropped, fault=fault)
            )


def signed_headers(instance: Instance, body: bytes) -> Mapping[str, str]:
    """The headers of a callback; signed over the raw bytes when the instance has a key (protocol.md 7)."""
    headers = {"Content-Type": JSON}
    if key := instance.configuration.get(SIGNATURE_KEY):
        headers[SIGNATURE_HEADER] = sign(key, body)
    return headers
