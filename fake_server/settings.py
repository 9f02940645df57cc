"""What a standalone server is started with, and the emulator that comes of it.

On a data file the server's own instances are those of an earlier run with the same element tokens. What the command
line says about them - secrets, dialect, quirks, signature key - holds from now on; all else is as it was left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY
from pytest_ocbulk.emulator.connectors import BUILT_IN, Connector, find
from pytest_ocbulk.emulator.dialect import dialect_named
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.instances import Credentials
from pytest_ocbulk.emulator.messages import unsendable
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.showing import counted
from pytest_ocbulk.system_clock import SystemClock

DEFAULT_JOB = "CREATED 1s RUNNING 2s COMPLETE"
DEFAULT_SECRET = "demo"
MAX_UPLOAD = 6 * 1024**3
"""Bytes of one upload: 6 GB, as documented for the service (protocol.md 10)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `ocbulk-server`; `connectors` are keys or TOML files, `max_upload` is in bytes.

    `data` is the data file, without which nothing outlives the process.
    """

    dialect: str = "documented"
    job: str = DEFAULT_JOB
    connectors: tuple[str, ...] = BUILT_IN
    element_tokens: tuple[str, ...] = field(default=(), repr=False)
    user_secret: str = field(default=DEFAULT_SECRET, repr=False)
    organization_secret: str = field(default=DEFAULT_SECRET, repr=False)
    signature_key: str | None = field(default=None, repr=False)
    quirks: dict[str, str] = field(default_factory=dict)
    max_upload: int = MAX_UPLOAD
    data: str = ""


def build(settings: Settings) -> Emulator:
    """An emulator with one instance per connector; raises `OcBulkError` for a setting that cannot be."""
    _check_secrets(settings)
    found = [find(name) for name in settings.connectors]
    tokens = _tokens(found, settings.element_tokens)
    clock = SystemClock()
    emulator = Emulator(
        store=Store(settings.data),
        background=True,
        connectors={key: find(key) for key in BUILT_IN} | {each.key: each for each in found},
        max_upload=settings.max_upload,
        known_user=Credentials(user=settings.user_secret, organization=settings.organization_secret),
        defaults=Defaults(
            dialect=dialect_named(settings.dialect),
            quirks=settings.quirks,
            timeline=Timeline.parse(settings.job),
            clock=lambda: clock,
        ),
    )
    for connector, token in zip(found, tokens, strict=True):
        _provide(emulator, connector, token, settings)
    return emulator


def _provide(emulator: Emulator, connector: Connector, token: str, settings: Settings) -> None:
    """Make one of the server's own instances, or bring the one of an earlier run up to date."""
    key = {SIGNATURE_KEY: settings.signature_key} if settings.signature_key else {}
    with emulator.lock:
        instance = emulator.instances.get(token)
        if instance is None:
            instance = emulator.create_instance(connector, token=token, configuration=key)
        elif instance.connector.key != connector.key:
            raise OcBulkError(
                f"{settings.data}: the element token {token!r} is that of an instance of"
                f" {instance.connector.key!r}, not of {connector.key!r}; choose another --element-token or data file"
            )
        instance.user_secret, instance.organization_secret = (
            settings.user_secret,
            settings.organization_secret,
        )
        instance.dialect = dialect_named(settings.dialect).with_quirks(
            {**connector.quirks, **settings.quirks}
        )
        instance.configuration |= key
        emulator.ledger.instance(instance)


def _check_secrets(settings: Settings) -> None:
    given = {
        "--user-secret": (settings.user_secret,),
        "--organization-secret": (settings.organization_secret,),
        "--element-token": settings.element_tokens,
    }
    for option, secrets in given.items():
        for secret in secrets:
            check_secret(option, secret)
    if settings.signature_key is not None:
        _check_given("--signature-key", settings.signature_key)


def check_secret(option: str, secret: str) -> None:
    """Raise `OcBulkError` for a secret that no caller could ever send."""
    _check_given(option, secret)
    if complaint := unsendable(secret):
        raise OcBulkError(f"{option} {complaint}; choose another")


def _check_given(option: str, secret: str) -> None:
    """An empty secret is a variable that was not set, and nobody could know what stands in its place."""
    if not secret.strip():
        raise OcBulkError(f"{option} is empty; give a secret, or leave {option} out for its default")


def _tokens(connectors: list[Connector], given: tuple[str, ...]) -> list[str]:
    if len(given) > len(connectors):
        raise OcBulkError(
            f"{counted(len(given), 'element token')} for {counted(len(connectors), 'connector')};"
            " give one --element-token per connector, in the same order"
        )
    tokens = [*given, *(connector.key for connector in connectors[len(given) :])]
    for key in tokens[len(given) :]:
        if complaint := unsendable(key):
            raise OcBulkError(f"the connector key {key!r} {complaint}; give it an --element-token")
    doubled = next((token for token in tokens if tokens.count(token) > 1), None)
    if doubled:
        raise OcBulkError(
            f"the element token {doubled!r} stands for two instances; give each its own --element-token"
        )
    return tokens
