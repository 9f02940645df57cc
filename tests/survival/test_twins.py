"""Two emulators hear the same calls; one of them dies now and then. Nobody can tell which."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from .lives import Lives, contacts

TIMELINES = (
    "CREATED COMPLETE",
    "CREATED x2 RUNNING x1 COMPLETE",
    "CREATED 5s RUNNING 10s COMPLETE",
    "CREATED x1 RUNNING 3s ABORTED",
    "CREATED 2s ERROR",
    "COMPLETE",
    "CREATED RUNNING forever",
)
METADATA: tuple[dict[str, Any], ...] = (
    {},
    {"bulkUploadRecordSize": 2},
    {"action": "upsert", "identifierFieldName": "C_EmailAddress"},
    {"action": "update", "identifierFieldName": "C_EmailAddress"},
)
CALLBACK_FAULTS = ("callback:early", "callback:twice", "callback:out_of_order", "callback:callback_late:3s")
NUMBERS = st.integers(1, 12)


class Twins(RuleBasedStateMachine):
    """The calls, and what can happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.both = Lives(None), Lives(Path(self.folder.name))
        self.jobs: list[str] = []

    def teardown(self) -> None:
        for living in self.both:
            living.emulator.close()
        self.folder.cleanup()

    def same(self, method: str, target: str, body: Any = b"", **headers: str) -> Any:
        """What both answer, apart from the number of the request."""
        answers = [living.ask(method, target, body, **headers) for living in self.both]
        for _, answer in answers:
            if isinstance(answer, dict):
                answer.pop("requestId", None)
        assert answers[0] == answers[1]
        return answers[0][1]

    @rule()
    def die(self) -> None:
        self.both[1].die()

    @rule(seconds=st.sampled_from((1, 4, 20)))
    def time_passes(self, seconds: int) -> None:
        for living in self.both:
            living.clock.advance(seconds)

    @rule(
        timeline=st.sampled_from(TIMELINES), bad=st.booleans(), fault=st.sampled_from(("", *CALLBACK_FAULTS))
    )
    def upload(self, timeline: str, bad: bool, fault: str, **_: Any) -> None:
        """The next job is planned and made in one life: plans belong to the session."""
        self.plan_and_upload(timeline, bad, fault, 1, 3, {}, callback=True)

    @rule(
        timeline=st.sampled_from(TIMELINES[:3]),
        bad=st.booleans(),
        first=NUMBERS,
        count=st.integers(0, 9),
        metadata=st.sampled_from(METADATA),
        callback=st.booleans(),
    )
    def upload_of_its_own(
        self, timeline: str, bad: bool, first: int, count: int, metadata: dict[str, Any], callback: bool
    ) -> None:
        self.plan_and_upload(timeline, bad, "", first, count, metadata, callback=callback)

    def plan_and_upload(
        self,
        timeline: str,
        bad: bool,
        fault: str,
        first: int,
        count: int,
        metadata: dict[str, Any],
        *,
        callback: bool,
    ) -> None:
        file = contacts(first, first + count) + (",bad,row\n" if bad else "")
        ids = []
        for living in self.both:
            if not timeline.startswith("COMPLETE"):
                living.instance.plans.next_job(timeline)
            if fault:
                living.instance.faults.add(fault)
            ids.append(living.upload("contact", file, metadata, "http://127.0.0.1:9/" if callback else ""))
            living.instance.faults.clear()
        assert ids[0] == ids[1]
        self.jobs.append(ids[0])

    @rule(name=st.sampled_from(("Name 1", "Name 2")), limit=st.integers(1, 9), skip=st.booleans())
    def query(self, name: str, limit: int, skip: bool) -> None:
        query = quote(
            f"select C_FirstName, C_EmailAddress from contact where C_FirstName != '{name}' limit {limit}"
        )
        target = f"/bulk/query?q={query}"
        if skip and self.jobs:
            target = f"/bulk/query?continueFromJobId={self.jobs[-1]}"
        stub = self.same("POST", target)
        if "id" in stub:
            self.jobs.append(stub["id"])

    @rule(at=st.integers(0, 50), what=st.sampled_from(("status", "errors", "contact", "contact/data")))
    def look(self, at: int, what: str) -> None:
        if self.jobs:
            self.same("GET", f"/bulk/{self.jobs[at % len(self.jobs)]}/{what}")

    @rule(at=st.integers(0, 50))
    def cancel(self, at: int) -> None:
        if self.jobs:
            self.same("PUT", f"/bulk/{self.jobs[at % len(self.jobs)]}/cancel")

    @rule(number=NUMBERS)
    def make(self, number: int) -> None:
        self.same("POST", "/contact", {"C_EmailAddress": f"{number}@example.com"})

    @rule(number=NUMBERS, method=st.sampled_from(("GET", "PATCH", "DELETE")))
    def change(self, number: int, method: str) -> None:
        self.same(method, f"/contact/{number}", {"C_Title": "changed"} if method == "PATCH" else b"")

    @rule(delivered=st.booleans())
    def callbacks(self, delivered: bool) -> None:
        taken = [living.emulator.take_callbacks() for living in self.both]
        assert [(each.body, each.headers, each.attempts) for each in taken[0]] == [
            (each.body, each.headers, each.attempts) for each in taken[1]
        ]
        for living, callbacks in zip(self.both, taken, strict=True):
            for each in callbacks:
                living.emulator.callback_tried(each, "delivered" if delivered else "failed", failure="no")

    @invariant()
    def lists_are_the_same(self) -> None:
        self.same("GET", "/contact?pageSize=100")
        self.same("GET", "/bulk/jobs")


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
