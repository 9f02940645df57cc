"""Kills the real server under load, starts it again on the same data file, and holds it to what it has answered.

    make survive

What clients do and when the process is killed follows from the seed; where in its work the server is then does not. A
driver remembers each promise it was given: an upload that was answered CREATED, a record that was answered or shown in
a list, a callback that was asked for.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ..patience import PATIENCE
from .calling import Broken, Caller, Receiver, contacts_csv, form
from .promises import Figures, Promises, Sent

JOB = "CREATED RUNNING 150ms COMPLETE"
CLIENTS = 4
SIZES = (1, 2, 5, 30, 300, 1200, 4000, 12_000)
WEIGHTS = (6, 6, 6, 5, 4, 3, 2, 1)


class Crashing:
    """A run: lives of a server on one data file, one after the other."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        largest: int = SIZES[-1],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.figures = Figures(seed=seed)
        self.data = folder / "data.ocbulk"
        self.promises = Promises(self.figures)
        self._chance = random.Random(seed)
        self._say = say
        self._sizes = [size for size in SIZES if size <= largest]
        self._errors = folder / "stderr.txt"
        self._complaints: list[str] = []
        self._numbers = 0

    def run(self, kills: int) -> Figures:
        """Kill the server so many times, and until it has answered an upload.

        Raises `Broken` for the first promise that was not kept.
        """
        began = time.monotonic()
        receiver = Receiver()
        try:
            while self.figures.kills < kills or not self.figures.uploads_answered:
                self._live(receiver)
            self.settle(receiver)
        finally:
            receiver.close()
            self.figures.seconds = round(time.monotonic() - began, 1)
        return self.figures

    # -- one life ---------------------------------------------------------------------------------------

    @contextmanager
    def _server(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "fake_server", "--port", "0", "--quiet"]
        command += [
            "--data",
            str(self.data),
            "--job",
            JOB,
            "--connector",
            "marketing",
            "--connector",
            "sqlserver",
        ]
        with (
            self._errors.open("ab") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def _port(self, process: subprocess.Popen[str]) -> int:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise Broken(f"the server does not start on its data file: {line!r}, see {self._errors}")
        return int(line.split(":")[2].partition("/")[0])

    def _live(self, receiver: Receiver) -> None:
        chance = self._chance
        with self._server() as process:
            if chance.random() < 0.08:  # while it is still reading its file
                time.sleep(chance.uniform(0.05, 0.5))
                process.kill()
                self.figures.kills += 1
                return
            port = self._port(process)
            with Caller(port) as caller:
                self.promises.check_answered(caller)
            ends = threading.Event()
            clients = [
                threading.Thread(
                    target=self._client, args=(port, receiver.url, number, chance.random(), ends)
                )
                for number in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.02, 0.9) ** 1.5)
            self._end(process)
            ends.set()
            for client in clients:
                client.join(2 * PATIENCE)
            if any(client.is_alive() for client in clients):
                raise Broken("a client of a server that has ended waits for its answer")
        if self._complaints:
            raise Broken(self._complaints[0])

    def _end(self, process: subprocess.Popen[str]) -> None:
        if self._chance.random() < 0.1:
            process.send_signal(signal.SIGTERM)
            if process.wait(PATIENCE) != 0:
                raise Broken(f"SIGTERM ended the server with exit code {process.returncode}")
            self.figures.graceful_stops += 1
        else:
            process.kill()
            process.wait(PATIENCE)
            self.figures.kills += 1
        self._say(
            f"kill {self.figures.kills}: {self.figures.uploads_answered} uploads answered,"
            f" {len(self.promises.shown)} records seen"
        )

    # -- clients ----------------------------------------------------------------------------------------

    def _client(self, port: int, receiver: str, number: int, seed: float, ends: threading.Event) -> None:
        chance = random.Random(seed)
        acts = (self._upload, self._poll, self._list, self._make, self._query)
        try:
            with Caller(port) as caller:
                while not ends.is_set():
                    caller.token = "sqlserver" if chance.random() < 0.25 else "marketing"
                    chance.choices(acts, (5, 5, 3, 2, 1))[0](caller, chance, receiver)
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass  # killed, as was to be expected
        except Exception as error:  # seen by the main thread
            self._complaints.append(f"client {number}: {error!r}")

    def _number(self) -> int:
        with self.promises.lock:
            self._numbers += 1
            return self._numbers

    def _upload(self, caller: Caller, chance: random.Random, receiver: str) -> None:
        number, rows = self._number(), chance.choices(self._sizes, WEIGHTS[: len(self._sizes)])[0]
        tag = f"upload {number}"
        bad = {chance.randrange(rows)} if chance.random() < 0.2 else set()
        batch = 0 if caller.token == "sqlserver" else chance.choice((0, 0, 1, 30, 1500))
        size = batch or (1 if caller.token == "marketing" else rows)
        failed = sum(min(size, rows - at // size * size) for at in bad)
        sent = Sent(tag, caller.token, rows, rows - failed)
        headers = {"Content_Type": "multipart/form-data; boundary=B"}
        if chance.random() < 0.5:
            sent.callback = f"/{number}"
            headers["Elements_Async_Callback_Url"] = receiver + sent.callback
        with self.promises.lock:
            self.promises.uploads.append(sent)
            self.figures.uploads_sent += 1
        body = form(contacts_csv(number, rows, bad, tag), {"bulkUploadRecordSize": batch} if batch else {})
        status, stub, _ = caller.ask("POST", "/bulk/contact", body, **headers)
        if (status, stub.get("status")) != (200, "CREATED"):
            raise Broken(f"upload {number}: {status} {stub}")
        sent.job = stub["id"]
        with self.promises.lock:
            self.figures.uploads_answered += 1
            self.figures.rows_answered += rows

    def _poll(self, caller: Caller, chance: random.Random, _receiver: str) -> None:
        known = [each for each in self.promises.uploads[-50:] if each.job]
        if known:
            sent = chance.choice(known)
            caller.token = sent.token
            caller.get(f"/bulk/{sent.job}/status")

    def _list(self, caller: Caller, chance: random.Random, _receiver: str) -> None:
        tag = f"upload {chance.randint(1, max(1, self._numbers))}"
        where = quote(f"C_Company = '{tag}'")
        found = caller.get(f"/contact?fields=C_EmailAddress&pageSize=500&where={where}")
        with self.promises.lock:
            self.promises.shown |= {f"{caller.token} {record['C_EmailAddress']}" for record in found}

    def _make(self, caller: Caller, _chance: random.Random, _receiver: str) -> None:
        address = f"made{self._number()}@example.com"
        body = json.dumps({"C_EmailAddress": address, "C_Company": "made"}).encode()
        status, answer, _ = caller.ask("POST", "/contact", body, Content_Type="application/json")
        if status != 200:
            raise Broken(f"POST /contact: {status} {answer}")
        with self.promises.lock:
            self.promises.made.add(f"{caller.token} {address}")

    def _query(self, caller: Caller, chance: random.Random, _receiver: str) -> None:
        tag = f"upload {chance.randint(1, max(1, self._numbers))}"
        query = quote(f"select * from contact where C_Company = '{tag}'")
        status, stub, _ = caller.ask("POST", f"/bulk/query?q={query}")
        if status != 200:
            raise Broken(f"query: {status} {stub}")

    # -- promises ---------------------------------------------------------------------------------------

    def settle(self, receiver: Receiver) -> None:
        """In one more life: all that was promised, counted."""
        with self._server() as process:
            port = self._port(process)
            with Caller(port) as caller:
                self.promises.check_answered(caller)
                self.promises.await_jobs(caller)
                self.promises.check_records(caller)
            self.promises.check_callbacks(receiver)
            process.send_signal(signal.SIGTERM)
            if process.wait(PATIENCE) != 0:
                raise Broken(f"SIGTERM ended the server with exit code {process.returncode}")
