"""OcBulk: what a test holds in its hand.

One handle is one instance of a connector in a fake: its address and secrets, its records and jobs, its clock, its
faults, what was asked of it, and the assertions about all that. All fixtures give the same handle; they differ in
the door behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .configuration import Configuration
from .delivery import Deliverer, checked_host
from .emulator.callbacks import CallbackLog
from .emulator.clock import milliseconds
from .emulator.emulator import Emulator
from .emulator.endpoints.records import condition_of
from .emulator.errors import ApiError, OcBulkError
from .emulator.faults import FaultPlan
from .emulator.instances import Instance
from .emulator.journal import Exchange, Journal
from .emulator.selection import Selection
from .emulator.stored_values import record
from .evidence import Evidence, WhichJob, job_id
from .in_process import InProcess
from .jobs import OcBulkJobs
from .sleeping import DrivenClock
from .verdicts.methods import Judge

if TYPE_CHECKING:
    import responses

    from .asgi import AsgiApp
    from .client import BulkClient
    from .contacts import ContactsFile
    from .httpx_transport import FakeTransport


class Door(Protocol):
    """The way by which code under test reaches a fake."""

    emulator: Emulator
    fake: InProcess
    deliverer: Deliverer
    has_socket: bool

    @property
    def base_url(self) -> str:
        """The address under which the fake is called."""
        ...

    def deliver(self) -> None:
        """Let callbacks that are due be posted."""
        ...

    @property
    def other_hosts(self) -> str:
        """What becomes of calls to other hosts."""
        ...

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None: ...

    def install_into(self, mock: responses.RequestsMock) -> None:
        """Put the fake into a mock of the test's own."""
        ...


class OcBulk(Judge):
    """One instance of a connector in a fake, with everything a test wants of it."""

    def __init__(
        self, door: Door, instance: Instance, seed: str, directory: Callable[[], Path | None]
    ) -> None:
        self._door = door
        self._emulator = door.emulator
        self._instance = instance
        self._seed = seed
        self._directory = directory
        self._contacts_made = 0
        self.evidence = Evidence(door.emulator, instance, self._deliver)
        self.clock = DrivenClock(instance.clock, door.emulator, door.deliver)
        self.jobs = OcBulkJobs(self.evidence, door.deliver)

    def __setattr__(self, name: str, value: object) -> None:
        """Set what can be set; another name would be believed to do something."""
        if not name.startswith("_") and name not in ("evidence", "clock", "jobs", "other_hosts"):
            raise OcBulkError(
                f"ocbulk.{name} = ... sets nothing; ocbulk.other_hosts is all that can be set so"
            )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<OcBulk {self._instance.connector.key} at {self.base_url}, {len(self.jobs)} jobs>"

    def _deliver(self) -> None:
        """Post the callbacks that are due; nobody is waited for: it may be their receiver who asks how things are."""
        if self._emulator.has_callbacks:
            self._door.deliverer.deliver_due()

    # -- how to reach it --------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The address under which code under test calls: it ends in `/elements/api-v2`, or is the configured one."""
        return self._door.base_url

    @property
    def element_token(self) -> str:
        """The secret that stands for this instance."""
        return self._instance.token

    @property
    def user_secret(self) -> str:
        """The secret of the instance's user."""
        return self._instance.user_secret

    @property
    def organization_secret(self) -> str:
        """The secret of the user's organization."""
        return self._instance.organization_secret

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an authorized call."""
        secrets = {
            "User": self.user_secret,
            "Organization": self.organization_secret,
            "Element": self.element_token,
        }
        return {"Authorization": ", ".join(f"{scheme} {secret}" for scheme, secret in secrets.items())}

    def env(self) -> dict[str, str]:
        """Environment variables for code that is configured so; the same that `BulkClient.from_environment` reads."""
        return {
            "OPEN_CONNECTORS_BASE_URL": self.base_url,
            "OPEN_CONNECTORS_ELEMENT_TOKEN": self.element_token,
            "OPEN_CONNECTORS_USER_SECRET": self.user_secret,
            "OPEN_CONNECTORS_ORGANIZATION_SECRET": self.organization_secret,
            "OPEN_CONNECTORS_HUB": self._instance.connector.hub,
        }

    def client(self) -> BulkClient:
        """A `BulkClient` of this instance; it waits on the fake's clock, so waiting takes no time."""
        from .client import BulkClient

        return BulkClient(
            self.base_url,
            element_token=self.element_token,
            user_secret=self.user_secret,
            organization_secret=self.organization_secret,
            clock=self._instance.clock.now,
            sleep=self.clock.advance,
        )

    @property
    def connector(self) -> str:
        """The connector's key, such as `marketing`."""
        return self._instance.connector.key

    @property
    def dialect(self) -> str:
        """How the service words things: `documented` or `live`."""
        return self._instance.dialect.name

    # -- other clients in-process -----------------------------------------------------------------------

    def install_into(self, mock: responses.RequestsMock) -> None:
        """Put the fake into a `responses` mock of the test's own, which hides the fixture's while it is active."""
        self._door.install_into(mock)

    @property
    def other_hosts(self) -> str:
        """What becomes of `requests` calls to other hosts: they `pass` (the default), or are refused (`refuse`)."""
        return self._door.other_hosts

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:
        self._door.other_hosts = choice

    @property
    def asgi(self) -> AsgiApp:
        """The fake as an ASGI 3 application, for any client that can be given one."""
        from .asgi import AsgiApp

        return AsgiApp(self._door.fake)

    def httpx_transport(self) -> FakeTransport:
        """The fake as a transport for `httpx.Client` and `httpx.AsyncClient`; needs the extra `[httpx]`."""
        try:
            from .httpx_transport import FakeTransport
        except ImportError as error:
            raise OcBulkError(
                "httpx_transport() needs httpx, which is not installed; "
                "run: python -m pip install 'pytest-ocbulk[httpx]'"
            ) from error
        return FakeTransport(self._door.fake, self.base_url)

    # -- records ----------------------------------------------------------------------------------------

    def seed(self, object: str, rows: Iterable[Mapping[str, object]] | ContactsFile) -> None:
        """Put records there before the test begins; nested values and column paths (`a.b`) are both understood.

        Raises `OcBulkError` for rows that the connector would refuse.
        """
        from .seeding import seed

        seed(self.evidence, object, rows)

    def records(self, object: str, where: str | None = None) -> list[dict[str, Any]]:
        """The records of an object that a client would find now, oldest first.

        `where` is a condition as in `GET /{object}?where=`, such as `"C_FirstName = 'Ann'"`.
        """
        shape = self.evidence.shape(object)
        self.evidence.tick()
        try:
            with self._emulator.lock:
                records = self.evidence.collection(shape)
                condition = condition_of(where, records)
                paths = records.paths
                found = records.select(
                    Selection(condition, now=milliseconds(self._instance.clock.now())), paths=paths
                )
        except ApiError as error:
            raise OcBulkError(f"records({object!r}, where={where!r}): {error.message}") from None
        return [record(paths, row[1:]) for row in found]

    def contacts(
        self,
        n: int,
        *,
        object: str = "contact",
        locale: str = "en_US",
        seed: int | str | None = None,
        encoding: str = "utf-8",
        bom: bool = False,
        delimiter: str = ",",
        newline: str = "\n",
        bad: Mapping[str, int] | None = None,
    ) -> ContactsFile:
        """Make a CSV of `n` contacts: `.path`, `.bytes`, `.rows` and the errors that it will cause.

        They follow from the test's id, so two tests never share a contact and two runs always do; each further call
        in a test makes others. `seed` chooses other ones, `bad` spoils some rows: `{"email": 3, "duplicate": 2}`.
        """
        from .contacts import contacts

        self._contacts_made += 1
        return contacts(
            n,
            connector=self.connector,
            object=object,
            locale=locale,
            seed=f"{self._seed} {self._contacts_made}" if seed is None else seed,
            encoding=encoding,
            bom=bom,
            delimiter=delimiter,
            newline=newline,
            bad=bad,
            directory=self._directory(),
        )

    # -- plans ------------------------------------------------------------------------------------------

    def next_job(
        self,
        timeline: str | None = None,
        *,
        object: str | None = None,
        fail_rows: Mapping[int, str] | None = None,
        error: str | None = None,
        times: int = 1,
    ) -> None:
        """Plan the course of the next job, or the next about `object`: `"CREATED 2s RUNNING x3 COMPLETE"`.

        `fail_rows` maps row numbers, from 1, to the text of their error; `error` is the text that a job carries which
        ends in `ABORTED` or `ERROR`. Plans wait in a queue. Raises `OcBulkError` for what could not happen.
        """
        if object is not None:
            self.evidence.shape(object)
        with self._emulator.lock:
            self._instance.plans.next_job(
                timeline, object=object, fail_rows=fail_rows, error=error, times=times
            )

    def visibility(self, lag: float | str = 0.0, partial: float | None = None) -> None:
        """Let records of coming jobs show up `lag` late, all but the part `partial` (0 to 1)."""
        self._instance.visibility.set(lag, partial)

    @property
    def faults(self) -> FaultPlan:
        """What is to go wrong: `faults.on("upload", status(503), times=2)`."""
        return self._instance.faults

    @property
    def configuration(self) -> Configuration:
        """The instance's configuration, such as `event.notification.signature.key`; a test may change it."""
        return Configuration(self._instance)

    def close(self) -> None:
        """Forget the instance and all that belongs to it; its token is answered 401 from now on."""
        self._emulator.close_instance(self._instance)

    def allow_callbacks_to(self, *hosts: str) -> None:
        """Let callbacks be posted to these hosts, `"*"` for all; without it they go to this machine only."""
        self._door.deliverer.allowed_hosts |= set(map(checked_host, hosts))

    # -- what happened ----------------------------------------------------------------------------------

    @property
    def requests(self) -> Journal:
        """What was asked of this instance and what it answered, oldest first."""
        return self._instance.journal

    @property
    def callbacks(self) -> CallbackLog:
        """What became of callbacks: an entry for each try to post one, oldest first."""
        return self._instance.callbacks

    def assert_uploaded(
        self, object: str, rows: Iterable[Mapping[str, object]] | ContactsFile, *, key: str
    ) -> None:
        """Fail unless what arrived in `object` since it was seeded is exactly `rows`, found by the column `key`.

        Only the columns of `rows` are compared; an empty value and a missing one are the same. The failure tells which
        rows are missing, extra or changed, and why, as far as that can be known.
        """
        __tracebackhide__ = True
        from .assertions import assert_uploaded

        assert_uploaded(self.evidence, object, rows, key)

    def assert_called(
        self,
        operation: str,
        *,
        times: int | None = None,
        object: str | None = None,
        job: WhichJob | None = None,
        status: int | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        file_name: str | None = None,
        metadata: str | Mapping[str, object] | None = None,
    ) -> list[Exchange]:
        """Fail unless an operation was called so often (None: at least once) with what is given; return the calls.

        Operations are those that faults know: `upload`, `status`, `errors`, `objects`, `query` and so on. `job` is an
        id or one of `jobs`, `status` that of the answer, `query` and `headers` name the ones that matter, `metadata` is
        what was sent as `metaData`, a dictionary or JSON. The failure shows the nearest calls.
        """
        __tracebackhide__ = True
        from .assertions import Wanted, assert_called

        named = None if job is None else job_id(job)
        wanted = Wanted(operation, object, named, status, query or {}, headers or {}, file_name, metadata)
        return assert_called(self.evidence, wanted, times)
