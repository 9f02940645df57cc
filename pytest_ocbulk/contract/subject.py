"""What a case holds in hand: a target, ways to ask it, and a place to write down what was seen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from pytest_ocbulk.client import BulkClient, Job
from pytest_ocbulk.client.reports import JobReference

from .facts import Fact
from .settings import ContractSettings
from .target import Answer, Target

Row = dict[str, Any]
MISSING_OBJECT = "ocbulk_no_such_object"


class SkipCase(Exception):
    """The case cannot be judged at this target; the text says why."""


class Subject:
    """One case's hold on a target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.client: BulkClient = target.client()
        self.facts: list[Fact] = []

    @property
    def settings(self) -> ContractSettings:
        """What the case may use."""
        return self.target.settings

    @property
    def object(self) -> str:
        """The object to upload to."""
        return self.settings.object

    @property
    def mine(self) -> str:
        """The condition that finds this run's records and no others."""
        return f"{self.settings.writable}='{self.target.run}'"

    # -- what was seen ----------------------------------------------------------------------------------

    def saw(self, name: str, seen: Any, expected: Any) -> None:
        """Write down one thing seen, and what the evidence lets one expect: a value or `one_of(...)`."""
        self.facts.append(Fact(name, seen, expected))

    def skip(self, reason: str) -> NoReturn:
        """Give the case up: it cannot be judged here."""
        raise SkipCase(reason)

    def refused(self, answer: Answer, status: int) -> None:
        """Write down a refusal: its status and the fields of its body (protocol.md 2.3)."""
        self.saw("status", answer.status, status)
        self.saw("fields of the body", [key for key in answer.keys if key != "providerMessage"], ERROR_FIELDS)

    # -- asking -----------------------------------------------------------------------------------------

    def get(self, path: str, headers: Mapping[str, str] | None = None, **params: Any) -> Answer:
        """A GET; `params` are its query."""
        return self.target.ask("GET", path, headers, params=params)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """A call with a JSON body, if any."""
        return self.target.ask(method, path, json=body, **options)

    def row(self, **changed: Any) -> Row:
        """A record that the object takes, marked as this run's."""
        settings = self.settings
        return {
            settings.key: self.target.key_value(),
            settings.writable: self.target.run,
            **settings.others,
            **changed,
        }

    def rows(self, count: int) -> list[Row]:
        """So many records, all different."""
        return [self.row() for _ in range(count)]

    def upload(
        self, rows: Sequence[Row], object: str = "", callback_url: str | None = None, **options: Any
    ) -> Job:
        """Upload rows as CSV; `options` are the metaData."""
        return self.client.upload(
            object or self.object,
            csv_of(rows),
            {name: value for name, value in options.items() if value is not None} or None,
            callback_url,
            file_name="ocbulk-contract.csv",
        )

    def empty_query(self, callback_url: str | None = None) -> Job:
        """A job that leaves nothing behind but itself: a query that finds nothing."""
        nothing = f"{self.settings.writable}='{self.target.run}-none'"
        return self.client.query(f"select * from {self.object} where {nothing}", callback_url)

    def form(self, object: str, **parts: tuple[str | None, bytes]) -> Answer:
        """Upload a form as it is: `part=(file name, content)`."""
        return self.target.ask("POST", f"/bulk/{object}", files=parts)

    def finish(self, job: JobReference) -> Row:
        """Wait for a job's end at the target's polling interval; the status body."""
        settings = self.settings
        report = self.client.wait(
            job,
            settings.job_timeout,
            settings.poll_interval,
            longest_interval=max(30.0, settings.poll_interval),
        )
        return dict(report.raw)

    def errors(self, job: JobReference) -> list[Any]:
        """All error items of a job, as they came."""
        return [error.raw for error in self.client.errors(job)]

    def found(self) -> list[Row]:
        """The records of this run, as the service lists them."""
        return list(self.client.records(self.object, self.mine))

    # -- afterwards -------------------------------------------------------------------------------------

    def clear(self) -> int:
        """Delete this run's records; how many are left, which is 0 unless the service shows them late."""
        if not (self.object and self.settings.writable):
            return 0
        for record in self.found():
            self.send("DELETE", f"/{self.object}/{record[self.settings.id]}")
        return len(self.found())


ERROR_FIELDS = ["message", "requestId"]


def csv_of(rows: Sequence[Row]) -> bytes:
    """Rows as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_rows(body: bytes) -> tuple[str, list[Row]]:
    """The form of a JSON result, `lines` or `array`, and its rows (protocol.md 3.7)."""
    text = body.decode()
    if text.lstrip().startswith("["):
        return "array", json.loads(text)
    return "lines", [json.loads(line) for line in text.splitlines() if line.strip()]


def as_text(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[list[str]]:
    """Rows as sorted lists of texts, to compare what came in CSV with what came in JSON."""
    wanted = list(names)
    return sorted([str(row.get(name, "")) for name in wanted] for row in rows)
