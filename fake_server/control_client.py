"""A typed client of the control API, for tests and tools that drive a standalone server.

control = ControlClient("http://127.0.0.1:8765")
fake = control.instance("sage200")
fake.next_job("CREATED RUNNING x3 ABORTED", error="quota exceeded")
fake.add_fault("upload:reset:after")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import requests

from .control import ROOT
from .control_shapes import (
    ClockState,
    FaultState,
    Health,
    InstanceState,
    JobState,
    JournalState,
    PlanState,
    VisibilityState,
)

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT = 30.0
"""Seconds that an answer is waited for."""


class ControlError(Exception):
    """The server refused a control call; `status` is that of the answer, the text is the server's own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ControlClient:
    """Controls a standalone server at `url`, such as `http://127.0.0.1:8765`.

    `control_token` is what the server was started with (`--control-token`), needed where it listens beyond this
    machine. Calls raise `ControlError` when they are refused, and the errors of `requests` when there is no answer.
    """

    def __init__(self, url: str, control_token: str | None = None, *, timeout: float = TIMEOUT) -> None:
        self.url = url.rstrip("/") + ROOT
        self.timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # neither proxies nor .netrc have a say about a server of one's own
        if control_token is not None:
            self._session.headers["Authorization"] = f"Bearer {control_token}"

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, method: str, path: str, body: object = None, **query: str | None) -> Any:
        """Make a call below `/__ocbulk__` and return its JSON; for calls that have no method here."""
        given = {name: value for name, value in query.items() if value is not None}
        answer = self._session.request(
            method, self.url + path, params=given, json=body, timeout=self.timeout, allow_redirects=False
        )
        if answer.status_code != 200:
            raise ControlError(answer.status_code, _message(answer))
        return answer.json()

    def health(self) -> Health:
        """Whether the server is up, its version and what it can do."""
        return cast("Health", self.call("GET", "/health"))

    def instances(self) -> list[InstanceState]:
        """All instances and what belongs to them."""
        return cast("list[InstanceState]", self.call("GET", "/state")["instances"])

    def instance(self, token: str | None = None) -> InstanceControl:
        """Controls the instance of an element token; without one the only instance that there is."""
        return InstanceControl(self, token)

    def reset(self) -> list[str]:
        """Forget jobs, records, plans, faults and journals of all instances; return their tokens."""
        return cast("list[str]", self.call("POST", "/reset")["reset"])

    def clocks(self) -> list[ClockState]:
        """What time it is for each instance."""
        return cast("list[ClockState]", self.call("GET", "/clock")["clocks"])

    def advance(self, by: float | str) -> list[ClockState]:
        """Move the clocks of all instances, by seconds or a duration such as `"5s"`."""
        return cast("list[ClockState]", self.call("POST", "/clock/advance", {"by": by})["clocks"])

    def openapi(self) -> dict[str, Any]:
        """The description of the imitated API, in OpenAPI 3.1."""
        return cast("dict[str, Any]", self.call("GET", "/openapi.json"))


class InstanceControl:
    """Controls one instance; all methods make one call each."""

    def __init__(self, client: ControlClient, token: str | None) -> None:
        self._client = client
        self.token = token

    def _call(self, method: str, path: str, body: object = None, **query: str | None) -> Any:
        return self._client.call(method, path, body, token=self.token, **query)

    def state(self) -> InstanceState:
        """The instance and what belongs to it."""
        return cast("InstanceState", self._call("GET", "/state")["instances"][0])

    def reset(self) -> None:
        """Forget its jobs, records, plans, faults and journal; its clock stays."""
        self._call("POST", "/reset")

    # -- jobs -------------------------------------------------------------------------------------------

    def jobs(self) -> list[JobState]:
        """Its jobs, oldest first."""
        return cast("list[JobState]", self._call("GET", "/jobs")["jobs"])

    def job(self, id: str) -> JobState:
        """One job."""
        return self._job("GET", id)

    def advance_job(self, id: str) -> JobState:
        """Take one step of a job's timeline now."""
        return self._job("POST", id, "/advance")

    def finish_job(self, id: str) -> JobState:
        """Go to the end of a job's timeline now, to success where it has none."""
        return self._job("POST", id, "/finish")

    def fail_job(self, id: str, error: str, status: str = "ABORTED") -> JobState:
        """Let a job fail now, `ABORTED` or `ERROR`, with this text."""
        return self._job("POST", id, "/fail", {"error": error, "status": status})

    def _job(self, method: str, id: str, below: str = "", body: object = None) -> JobState:
        return cast("JobState", self._call(method, f"/jobs/{quote(id, safe='')}{below}", body))

    # -- plans ------------------------------------------------------------------------------------------

    def next_job(
        self,
        timeline: str | None = None,
        *,
        object: str | None = None,
        fail_rows: Mapping[int, str] | None = None,
        error: str | None = None,
        times: int = 1,
    ) -> PlanState:
        """Plan the next job, or the next about `object`; as `ocbulk.next_job` does in a test."""
        body: dict[str, Any] = {"timeline": timeline, "object": object, "error": error, "times": times}
        if fail_rows is not None:
            body["fail_rows"] = {str(row): text for row, text in fail_rows.items()}
        given = {name: value for name, value in body.items() if value is not None}
        return cast("PlanState", self._call("POST", "/timelines", given))

    def timelines(self) -> list[PlanState]:
        """What is planned for coming jobs."""
        return cast("list[PlanState]", self._call("GET", "/timelines")["timelines"])

    def clear_timelines(self) -> None:
        """Forget what is planned for coming jobs."""
        self._call("DELETE", "/timelines")

    def add_fault(self, fault: str) -> FaultState:
        """Plan a fault, in one line of text: `"upload:reset:after"`, `"status:503:x2"`."""
        return cast("FaultState", self._call("POST", "/faults", {"fault": fault}))

    def faults(self) -> list[FaultState]:
        """The planned faults and what has become of each."""
        return cast("list[FaultState]", self._call("GET", "/faults")["faults"])

    def clear_faults(self, operation: str | None = None) -> None:
        """Forget the planned faults, all or those of one operation."""
        self._call("DELETE", "/faults", operation=operation)

    def visibility(self) -> VisibilityState:
        """When records of coming jobs show up."""
        return cast("VisibilityState", self._call("GET", "/visibility"))

    def set_visibility(self, lag: float | str = 0.0, partial: float | None = None) -> VisibilityState:
        """Let records of coming jobs show up `lag` late, all but the part `partial` (0 to 1)."""
        return cast("VisibilityState", self._call("PUT", "/visibility", {"lag": lag, "partial": partial}))

    def seed(self, object: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Put records into an object, visible at once; return how many."""
        body = [dict(row) for row in rows]
        return cast("int", self._call("POST", f"/records/{quote(object, safe='')}", body)["added"])

    # -- time -------------------------------------------------------------------------------------------

    def clock(self) -> ClockState:
        """What time it is."""
        return cast("ClockState", self._call("GET", "/clock")["clocks"][0])

    def advance(self, by: float | str) -> ClockState:
        """Move its clock, by seconds or a duration such as `"5s"`; needs a server on a manual clock."""
        return cast("ClockState", self._call("POST", "/clock/advance", {"by": by})["clocks"][0])

    # -- looking back -----------------------------------------------------------------------------------

    def journal(self, operation: str | None = None, job: str | None = None) -> JournalState:
        """The last calls and answers, of one operation and about one job if these are given."""
        return cast("JournalState", self._call("GET", "/journal", operation=operation, job=job))

    def har(self, operation: str | None = None, job: str | None = None) -> dict[str, Any]:
        """The same as HTTP Archive 1.2."""
        return cast(
            "dict[str, Any]", self._call("GET", "/journal", operation=operation, job=job, format="har")
        )

    def clear_journal(self) -> None:
        """Forget the calls and answers so far."""
        self._call("DELETE", "/journal")

    def warnings(self) -> list[str]:
        """What clients certainly did wrong."""
        return [each["text"] for each in self._call("GET", "/warnings")["warnings"]]


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"expected a control answer from {answer.url}, got {answer.status_code} {answer.reason}"
