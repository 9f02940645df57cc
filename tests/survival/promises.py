"""What a server has answered, remembered, and held against what it says after it was killed."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..patience import PATIENCE
from .calling import HEADERS, Broken, Caller, Receiver, contacts_of


@dataclass(slots=True)
class Sent:
    """One upload: `tag` stands in each of its rows, `good` of which become records, if it was `answered` at all."""

    tag: str
    token: str
    rows: int
    good: int
    callback: str = ""
    job: str = ""
    verified: bool = False


@dataclass(slots=True)
class Figures:
    """What a run has done and found; the last four have to be 0."""

    seed: int = 0
    seconds: float = 0.0
    kills: int = 0
    graceful_stops: int = 0
    uploads_sent: int = 0
    uploads_answered: int = 0
    rows_answered: int = 0
    records_seen: int = 0
    callbacks_owed: int = 0
    callbacks_received: int = 0
    uploads_lost: int = 0
    batches_torn: int = 0
    records_lost: int = 0
    callbacks_lost: int = 0

    @property
    def broken(self) -> int:
        """How many promises were not kept."""
        return self.uploads_lost + self.batches_torn + self.records_lost + self.callbacks_lost


@dataclass(slots=True)
class Promises:
    """What was promised so far, and what became of it."""

    figures: Figures
    uploads: list[Sent] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check_answered(self, caller: Caller) -> None:
        """At each start: every upload that was answered is there."""
        for sent in self.uploads:
            if sent.job and not sent.verified:
                caller.token = sent.token
                status, body, _ = caller.ask("GET", f"/bulk/{sent.job}/status")
                if status != 200:
                    self.figures.uploads_lost += 1
                    raise Broken(f"{sent.tag} was answered CREATED as job {sent.job}, and is now {status}")
                if body["status"] == "COMPLETE":
                    self._check_counts(sent, body)
                    sent.verified = True

    def _check_counts(self, sent: Sent, body: dict[str, Any]) -> None:
        counts = (body["recordsCount"], body["recordsFailedCount"])
        if counts != (sent.rows, sent.rows - sent.good):
            self.figures.batches_torn += 1
            raise Broken(
                f"{sent.tag}: expected {sent.rows} rows, {sent.rows - sent.good} failed, got {counts}"
            )

    def await_jobs(self, caller: Caller) -> None:
        deadline = time.monotonic() + PATIENCE
        for sent in self.uploads:
            caller.token = sent.token
            while sent.job and not sent.verified:
                body = caller.get(f"/bulk/{sent.job}/status")
                if body["status"] == "COMPLETE":
                    self._check_counts(sent, body)
                    sent.verified = True
                elif time.monotonic() > deadline:
                    raise Broken(f"{sent.tag} does not end: {body}")
                else:
                    time.sleep(0.02)
        # Of uploads that were not answered some were accepted: they end as well.
        for token in HEADERS:
            caller.token = token
            while any(job["status"] != "COMPLETE" for job in caller.all("/bulk/jobs?")):
                if time.monotonic() > deadline:
                    raise Broken("some jobs do not end")
                time.sleep(0.05)

    def check_records(self, caller: Caller) -> None:
        per_tag: Counter[str] = Counter()
        addresses: Counter[str] = Counter()
        for token in HEADERS:
            caller.token = token
            for record in contacts_of(caller):
                per_tag[record["C_Company"]] += 1
                addresses[f"{token} {record['C_EmailAddress']}"] += 1
        self.figures.records_seen = len(self.shown)
        for sent in self.uploads:
            found = per_tag[sent.tag]
            if found != sent.good and (sent.job or found):
                self.figures.batches_torn += 1
                raise Broken(
                    f"{sent.tag}: expected {sent.good} records, got {found} (answered: {bool(sent.job)})"
                )
        lost = [each for each in self.shown | self.made if addresses[each] != 1]
        self.figures.records_lost = len(lost)
        if lost:
            raise Broken(f"{len(lost)} records that were shown are not there once, such as {lost[0]}")

    def check_callbacks(self, receiver: Receiver) -> None:
        owed = [sent for sent in self.uploads if sent.callback and sent.job]
        self.figures.callbacks_owed = len(owed)
        deadline = time.monotonic() + PATIENCE
        while any(sent.callback not in receiver.bodies for sent in owed) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.figures.callbacks_received = sum(map(len, receiver.bodies.values()))
        for sent in owed:
            came = receiver.bodies.get(sent.callback, [])
            if not came or len(set(came)) != 1 or json.loads(came[0])["id"] != sent.job:
                self.figures.callbacks_lost += 1
                raise Broken(
                    f"{sent.tag}: expected the callback of job {sent.job}, got {set(came) or 'none'}"
                )
