"""Secrets are compared in constant time and shown nowhere: each way out is looked through for them."""

from __future__ import annotations

import dataclasses
import hmac
import importlib
import io
import json
import pkgutil
import re
import types
from collections.abc import Iterator
from typing import Any

import pytest

import fake_server
import pytest_ocbulk
from fake_server.access_log import AccessLog
from fake_server.app import FakeServerApp
from fake_server.control import ControlApi
from fake_server.guard import Guard
from fake_server.settings import Settings, build
from pytest_ocbulk.emulator import callbacks, instances
from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response

pytest_plugins = ["pytester"]

TOKEN, USER, ORGANIZATION, KEY, CONTROL = "t0ken-1", "s3cret-2", "s3cret-3", "s3cret-4", "s3cret-5"
SECRETS = (USER, ORGANIZATION, KEY, CONTROL)
AUTHORIZATION = f"Element {TOKEN}, User {USER}, Organization {ORGANIZATION}"
OWN = {"Host": "localhost", "Authorization": f"Bearer {CONTROL}"}


@pytest.fixture
def app() -> Iterator[FakeServerApp]:
    """A standalone server's app with one instance, whose every secret is known."""
    settings = Settings(
        connectors=("sqlserver",),
        element_tokens=(TOKEN,),
        user_secret=USER,
        organization_secret=ORGANIZATION,
        signature_key=KEY,
        job="CREATED COMPLETE",
    )
    emulator = build(settings)
    yield FakeServerApp(emulator, ControlApi(emulator, guard=Guard(token=CONTROL)))
    emulator.close()


def ask(app: FakeServerApp, method: str, target: str, body: Any = b"", **headers: str) -> str:
    """The text of what is answered, headers and all."""
    given = {"Authorization": AUTHORIZATION, **headers}
    if not isinstance(body, bytes):
        body, given["Content-Type"] = json.dumps(body).encode(), "application/json"
    answer = app.handle(Request.of(method, target, given, body))
    assert isinstance(answer, Response)
    text = (answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)).decode()
    return f"{answer.status} {dict(answer.headers)} {text}"


def configured(app: FakeServerApp) -> str:
    """Change the configuration; secrets in it are given and given back masked."""
    configuration = {"password": KEY, "username": "me", SIGNATURE_KEY: KEY, "db.host": "h", "db.name": "n"}
    return ask(app, "PATCH", f"{BASE_PATH}/instances", {"configuration": configuration})


def test_no_answer_of_the_imitated_api_tells_a_secret(app: FakeServerApp) -> None:
    texts = [
        configured(app),
        ask(app, "GET", f"{BASE_PATH}/instances"),
        ask(app, "GET", f"{BASE_PATH}/objects"),
        ask(app, "GET", f"{BASE_PATH}/nothing/of/the/kind/at/all"),
        ask(app, "GET", f"{BASE_PATH}/elements"),
        ask(app, "GET", f"{BASE_PATH}/objects", Authorization=f"Element {TOKEN}, User wrong"),
    ]
    assert texts[0].startswith("200")
    assert [secret for secret in SECRETS for text in texts if secret in text] == []


@pytest.mark.parametrize(
    "target",
    ["/journal", "/journal?format=har", "/state", "/jobs", "/health", "/warnings", "/clock", "/faults"],
)
def test_no_answer_of_the_control_api_tells_a_secret(target: str, app: FakeServerApp) -> None:
    configured(app)
    ask(
        app, "GET", f"{BASE_PATH}/objects", Cookie=f"session={KEY}", **{"Proxy-Authorization": f"Basic {KEY}"}
    )
    ask(app, "POST", f"{BASE_PATH}/contact", {"C_EmailAddress": "a@example.com"})
    text = ask(app, "GET", f"/__ocbulk__{target}", **OWN)
    assert text.startswith("200")
    assert "objects" in text or "journal" not in target
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_access_log_tells_no_secret(form: Any) -> None:
    stream = io.StringIO()
    request = Request.of("GET", f"/__ocbulk__/state?token={TOKEN}", {"Authorization": AUTHORIZATION})
    AccessLog(form, stream).exchanged(request, Response(200, {}), 0.0)
    assert [secret for secret in (TOKEN, *SECRETS) if secret in stream.getvalue()] == []


# -- what a traceback, a debugger or pytest prints

SECRET_NAMES = re.compile(r"(secret|token|password|signature_key|authorization|credential)", re.IGNORECASE)
NO_SECRETS = {
    "pytest_ocbulk.client.paging.Page.token",  # of the next page
    "pytest_ocbulk.emulator.connectors.Connector.secret_configuration",  # names, not values
    "pytest_ocbulk.emulator.dialect.Quirks.token_on_last_page",  # true or false
}


def modules() -> Iterator[types.ModuleType]:
    for package in (pytest_ocbulk, fake_server):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(("__main__", ".conftest", ".test_contract")):
                yield importlib.import_module(found.name)


def test_no_value_prints_a_field_that_is_named_like_a_secret() -> None:
    printed = {
        f"{kind.__module__}.{kind.__qualname__}.{each.name}"
        for module in modules()
        for kind in vars(module).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
        for each in dataclasses.fields(kind)
        if each.repr and SECRET_NAMES.search(each.name) and "__repr__" in vars(kind)
    }
    assert printed <= NO_SECRETS


def test_requests_instances_and_the_journal_print_no_secret(app: FakeServerApp) -> None:
    configured(app)
    ask(app, "GET", f"{BASE_PATH}/objects")
    (instance,) = app.emulator.instances
    shown = [
        repr(instance),
        repr(list(instance.journal)),
        repr(Request.of("GET", "/", {"Authorization": AUTHORIZATION})),
        repr(instances.Credentials.parse(AUTHORIZATION)),
        repr(app.control.guard),
        repr(Settings(user_secret=USER, signature_key=KEY)),
    ]
    assert [secret for secret in (TOKEN, *SECRETS) for text in shown if secret in text] == []


def test_a_test_that_fails_prints_no_secret(pytester: pytest.Pytester) -> None:
    """With locals and arguments, as people run it in CI."""
    pytester.makepyfile(
        """
        import requests

        def test_it(ocbulk):
            headers = dict(ocbulk.headers)
            answer = requests.get(ocbulk.base_url + "/objects", headers=headers)
            with open("secrets.txt", "w") as file:
                print(ocbulk.user_secret, ocbulk.organization_secret, sep="\\n", file=file)
            del headers, answer
            ocbulk.configuration["event.notification.signature.key"] = "s3cret-" + str(2 + 2)
            assert ocbulk._instance is None, list(ocbulk._instance.journal)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-vv", "--showlocals", "-p", "no:faker")
    result.assert_outcomes(failed=1)
    secrets = (pytester.path / "secrets.txt").read_text().split()
    assert len(secrets) == 2
    text = result.stdout.str() + result.stderr.str()
    assert [secret for secret in (*secrets, "s3cret-4") if secret in text] == []


# -- constant time


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that is compared in constant time."""
    seen: list[bytes] = []
    digest = hmac.compare_digest

    def noted(given: Any, wanted: Any) -> bool:
        seen.extend((given, wanted))
        return digest(given, wanted)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    return seen


def test_user_and_organization_secrets_are_compared_in_constant_time(
    app: FakeServerApp, compared: list[bytes]
) -> None:
    wrong = f"Element {TOKEN}, User {USER}, Organization guess"
    assert ask(app, "GET", f"{BASE_PATH}/objects", Authorization=wrong).startswith("401")
    assert {USER.encode(), ORGANIZATION.encode(), b"guess"} <= set(compared)
    compared.clear()
    assert ask(app, "GET", f"{BASE_PATH}/instances", Authorization=wrong).startswith("401")
    assert {USER.encode(), ORGANIZATION.encode(), b"guess"} <= set(compared)


def test_the_control_token_is_compared_in_constant_time(app: FakeServerApp, compared: list[bytes]) -> None:
    answer = ask(app, "GET", "/__ocbulk__/health", Host="localhost", Authorization="Bearer guess")
    assert answer.startswith("401")
    assert set(compared) == {b"guess", CONTROL.encode()}


def test_signatures_are_compared_in_constant_time(compared: list[bytes]) -> None:
    assert not callbacks.verify(KEY, b"body", "sha256=guess")
    assert b"sha256=guess" in compared


@pytest.mark.parametrize("odd", ["ä", "\udcff", "\ud800x", "", "x" * 100_000])
def test_odd_secrets_are_wrong_and_no_error(odd: str, app: FakeServerApp) -> None:
    assert ask(app, "GET", f"{BASE_PATH}/objects", Authorization=f"Element {TOKEN}, User {odd}").startswith(
        "401"
    )
    control = ask(app, "GET", "/__ocbulk__/health", Host="localhost", Authorization=f"Bearer {odd}")
    assert control.startswith("401")
    assert not callbacks.verify(KEY, b"body", odd)
