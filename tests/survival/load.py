"""Many clients at once, each with an instance of its own: upload, poll, list, over and over on loopback."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from ..patience import PATIENCE

USER = "User demo, Organization demo"


@dataclass(slots=True)
class LoadFigures:
    """What a load has done and found. Times are seconds, memory is MiB; the three faults have to be 0."""

    clients: int = 0
    seconds: float = 0.0
    calls: int = 0
    uploads: int = 0
    rows: int = 0
    rows_lost: int = 0
    wrong_counts: int = 0
    strangers: int = 0
    slowest: float = 0.0
    memory_before: float = 0.0
    memory_after: float = 0.0
    times: list[float] = field(default_factory=list, repr=False)

    @property
    def calls_per_second(self) -> float:
        """The rate at which calls were answered."""
        return self.calls / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds: threads, descriptors, and resident memory in MiB."""

    threads: int
    descriptors: int
    memory: float

    @classmethod
    def of(cls, process: int) -> Footprint:
        """That of a process by its id, as Linux tells it."""
        status = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{process}/status").read_text().splitlines()
            if ":" in line
        )
        return cls(
            threads=int(status["Threads"]),
            descriptors=len([each for each in _targets(process) if "etilqs" not in each]),
            memory=int(status["VmRSS"].split()[0]) / 1024,
        )


def _targets(process: int) -> Iterator[str]:
    """What the descriptors of a process point to; SQLite's own temporary files are named etilqs."""
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(each.readlink())


class Load:
    """So many clients for so many seconds at a server's base URL."""

    def __init__(self, base_url: str, clients: int, seconds: float, seed: int = 0) -> None:
        self.figures = LoadFigures(clients=clients)
        self._base_url = base_url
        self._seconds = seconds
        self._seed = seed

    def run(self) -> LoadFigures:
        """Let them all call, and look at what each of them sees."""
        asyncio.run(self._run())
        self.figures.slowest = max(self.figures.times, default=0.0)
        return self.figures

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=2 * PATIENCE)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            made = [await self._make_instance(session, number) for number in range(self.figures.clients)]
            began = time.monotonic()
            await asyncio.gather(
                *(
                    self._client(session, number, token, began + self._seconds)
                    for number, (_, token) in enumerate(made)
                )
            )
            self.figures.seconds = time.monotonic() - began
            for instance, _ in made:
                await self._call(session, "DELETE", f"/instances/{instance}", USER)

    async def _make_instance(self, session: aiohttp.ClientSession, number: int) -> tuple[int, str]:
        body = {"element": {"key": "marketing"}, "name": f"client {number}"}
        answer = await self._call(session, "POST", "/instances", USER, json=body)
        return answer["id"], answer["token"]

    async def _client(self, session: aiohttp.ClientSession, number: int, token: str, end: float) -> None:
        chance = random.Random(f"{self._seed} {number}")
        authorization = f"Element {token}, User demo"
        total = turn = 0
        while time.monotonic() < end:
            turn += 1
            rows, bad = chance.randint(1, 60), chance.random() < 0.2
            total += rows
            await self._upload(session, authorization, f"{number}-{turn}", rows, bad=bad)
            await self._check(session, authorization, number, total)

    async def _upload(
        self, session: aiohttp.ClientSession, authorization: str, tag: str, rows: int, *, bad: bool
    ) -> None:
        lines = [f"{tag}-{row}@example.com,{tag}" for row in range(rows)] + [",nobody"] * bad
        form = aiohttp.FormData()
        file = "\n".join(["C_EmailAddress,C_Company", *lines, ""])
        form.add_field("file", file, filename="a.csv", content_type="text/csv")
        stub = await self._call(session, "POST", "/bulk/contact", authorization, data=form)
        body: dict[str, Any] = {"status": stub["status"]}
        while body["status"] in ("CREATED", "RUNNING"):
            await asyncio.sleep(0.01)
            body = await self._call(session, "GET", f"/bulk/{stub['id']}/status", authorization)
        if (body["status"], body["recordsCount"], body["recordsFailedCount"]) != (
            "COMPLETE",
            rows + bad,
            int(bad),
        ):
            self.figures.wrong_counts += 1
        errors = await self._call(session, "GET", f"/bulk/{stub['id']}/errors", authorization)
        self.figures.wrong_counts += len(errors) != int(bad)
        self.figures.uploads += 1
        self.figures.rows += rows

    async def _check(
        self, session: aiohttp.ClientSession, authorization: str, number: int, total: int
    ) -> None:
        records = await self._call(
            session, "GET", "/contact?fields=C_Company,C_EmailAddress&pageSize=5000", authorization
        )
        own = {record["C_EmailAddress"] for record in records if record["C_Company"].startswith(f"{number}-")}
        self.figures.strangers += len(records) - len(own)
        self.figures.rows_lost += total - len(own)

    async def _call(
        self, session: aiohttp.ClientSession, method: str, path: str, authorization: str, **what: Any
    ) -> Any:
        began = time.monotonic()
        async with session.request(
            method, self._base_url + path, headers={"Authorization": authorization}, **what
        ) as answer:
            content = await answer.read()
            if answer.status != 200:
                raise AssertionError(f"{method} {path}: {answer.status} {content!r}")
        self.figures.times.append(time.monotonic() - began)
        self.figures.calls += 1
        return await answer.json() if content else None
