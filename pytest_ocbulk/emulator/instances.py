"""Everything belongs to a token: an instance has its own objects, records, jobs, clock and journal.

Instance        one authenticated connector, known by its element token
Credentials     the Authorization header, read
Instances       finds the instance that credentials stand for
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from .callbacks import CallbackLog
from .clock import Clock
from .connectors import Connector, ObjectDefinition
from .dialect import Dialect
from .errors import Unauthorized
from .faults import FaultPlan
from .jobs import Job
from .journal import Journal
from .plans import JobPlans, Visibility

FILTER_NULLS = "filter.response.nulls"
TABLE_NAMES = "db.table.names"


@dataclass(slots=True, eq=False)
class Instance:
    """One authenticated connector and all that belongs to it. Its secrets are not printed with it."""

    id: int
    token: str = field(repr=False)
    user_secret: str = field(repr=False)
    organization_secret: str = field(repr=False)
    connector: Connector
    dialect: Dialect
    clock: Clock
    name: str = ""
    tags: tuple[str, ...] = ()
    configuration: dict[str, str] = field(default_factory=dict, repr=False)
    created: float = 0.0
    disabled: bool = False
    journal: Journal = field(default_factory=Journal)
    callbacks: CallbackLog = field(default_factory=CallbackLog)
    faults: FaultPlan = field(default_factory=FaultPlan)
    plans: JobPlans = field(default_factory=JobPlans)
    visibility: Visibility = field(default_factory=Visibility)
    jobs: dict[str, Job] = field(default_factory=dict)
    running: list[Job] = field(default_factory=list)

    def shape(self, object_name: str) -> ObjectDefinition | None:
        """The definition of an object, None when the instance has none of that name.

        Tables named in `db.table.names` are objects without declared fields, and so is whatever begins with a prefix
        given there as `data_*` (protocol.md 11.1).
        """
        found = self.connector.objects.get(object_name)
        if found is None and (object_name in self.tables or object_name.startswith(self.table_prefixes)):
            found = ObjectDefinition(object_name)
        return found

    @property
    def tables(self) -> tuple[str, ...]:
        """Names in `db.table.names` that are no prefixes."""
        return tuple(name for name in self._table_names if not name.endswith("*"))

    @property
    def table_prefixes(self) -> tuple[str, ...]:
        """What the prefixes in `db.table.names` begin with."""
        return tuple(name[:-1] for name in self._table_names if name.endswith("*"))

    @property
    def _table_names(self) -> list[str]:
        return [name.strip() for name in self.configuration.get(TABLE_NAMES, "").split(",") if name.strip()]

    @property
    def shows_nulls(self) -> bool:
        """Whether records show null values (protocol.md 9.1)."""
        setting = self.configuration.get(FILTER_NULLS)
        return setting.lower() == "false" if setting else not self.dialect.quirks.filter_nulls


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parts of an Authorization header; a missing one is empty. None of them is printed."""

    element: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    organization: str = field(default="", repr=False)

    @classmethod
    def parse(cls, header: str) -> Credentials:
        """Read `Scheme value` pairs in any order: split on commas, then on the first blank (protocol.md 2.1)."""
        parts: dict[str, str] = {}
        for pair in header.split(","):
            scheme, _, value = pair.strip().partition(" ")
            if scheme.lower() in ("element", "user", "organization"):
                parts[scheme.lower()] = value.strip()
        return cls(**parts)


class Instances:
    """The instances by token."""

    def __init__(self) -> None:
        self._by_token: dict[str, Instance] = {}
        self._headers: dict[str, Instance] = {}

    def __iter__(self) -> Iterator[Instance]:
        return iter(tuple(self._by_token.values()))

    def __len__(self) -> int:
        return len(self._by_token)

    def add(self, instance: Instance) -> None:
        """Make an instance known by its token."""
        self._by_token[instance.token] = instance

    def remove(self, instance: Instance) -> None:
        """Forget an instance; its token is answered 401 from now on (protocol.md 2.2)."""
        self._by_token.pop(instance.token, None)
        self._headers.clear()

    def get(self, token: str) -> Instance | None:
        """The instance of a token."""
        return self._by_token.get(token)

    def by_id(self, number: int) -> Instance | None:
        """The instance of an id."""
        return next((each for each in self if each.id == number), None)

    def authenticate(self, header: str) -> Instance:
        """The instance that an Authorization header stands for; raises `Unauthorized`.

        A header that was found right once is remembered whole, so that a poll costs one look-up.
        """
        known = self._headers.get(header)
        if known is None:
            given = Credentials.parse(header)
            known = self._by_token.get(given.element)
            if known is None or not _same(given.user, known.user_secret):
                raise Unauthorized
            if given.organization and not _same(given.organization, known.organization_secret):
                raise Unauthorized
            if len(self._headers) < 10_000:
                self._headers[header] = known
        return known

    def user(self, header: str, known: Credentials | None = None) -> Credentials:
        """The user of a platform call: `known`, or the user of any instance; raises `Unauthorized`.

        An element token that came along is kept: some calls are about its instance.
        """
        given = Credentials.parse(header)
        users = [Credentials(user=each.user_secret, organization=each.organization_secret) for each in self]
        for user in [*users, *([known] if known else [])]:
            if _same(given.user, user.user) and _same(given.organization, user.organization):
                return given
        raise Unauthorized

    def of(self, user: Credentials) -> list[Instance]:
        """The instances of a user, oldest first."""
        return [
            each
            for each in self
            if each.user_secret == user.user and each.organization_secret == user.organization
        ]


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), secret.encode())
