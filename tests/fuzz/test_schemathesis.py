"""Schemathesis over the API description: whatever is sent, the fake answers as described.

Short here, the same inputs each time; `OCBULK_FUZZ=long` (`make fuzz`) sends many more, other ones each time.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Response as SeenResponse
from schemathesis import checks
from schemathesis.core.failures import FailureGroup

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH, Reception, Request, Response
from pytest_ocbulk.http1.site import AnswersAtOnce
from pytest_ocbulk.server import Server

from ..description import FILE, Operation, read
from ..doors import DOORS, Ask, Sent
from ..openapi_samples import World, actor

DESCRIPTION = read()
LONG = os.environ.get("OCBULK_FUZZ") == "long"

schema = schemathesis.openapi.from_dict(json.loads(FILE.read_text()))
schema.config.phases.coverage.enabled = LONG
schema.config.generation.update(with_security_parameters=False)  # each call has an actor's secrets
schema.config.update(base_url=f"http://127.0.0.1{BASE_PATH}")

NOT_HELD = [
    # The service is lenient: what it does not know it ignores (protocol.md 9.2), so wrong data is often welcome.
    checks.negative_data_rejection,
    # A text that fits the schema need not be a condition, a date or a file that can be read.
    checks.positive_data_acceptance,
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with Server(emulator) as server:
        yield server


@pytest.fixture(scope="module")
def ask(emulator: Emulator) -> Iterator[Ask]:
    with DOORS["core"](emulator) as ask:
        yield ask


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@settings(
    max_examples=200 if LONG else 2,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_is_answered_as_described(
    case: Any,
    emulator: Emulator,
    server: Server,
    ask: Ask,
    session: requests.Session,
    calls: Counter[str],
) -> None:
    who = actor(World(emulator, ask))
    if len(str(case.path_parameters)) % 2:  # half of the calls are about something that is there
        case.path_parameters.update(who.names(case.operation.path))
    how = {"base_url": server.url + BASE_PATH, "session": session, "headers": who.authorization}
    response = case.call(**how)
    calls[case.operation.label] += 1
    sent = Sent(case.method, str(response.request.path_url), response.request.headers)
    meant = DESCRIPTION.meant(emulator, sent)
    if meant is not None and meant.said["operationId"] == case.operation.definition.raw["operationId"]:
        case.validate_response(
            response, headers=who.authorization, excluded_checks=NOT_HELD, transport_kwargs=how
        )
    else:  # a name in the path was a reserved word: it is another call
        _judge(meant, response)
    emulator.close_instance(who.instance)


def _judge(operation: Operation | None, response: SeenResponse) -> None:
    """Hold an answer against the operation that the call turned out to be about."""
    headers = {name: values[0] for name, values in response.headers.items()}
    method, call = str(response.request.method), f"{response.request.method} {response.request.path_url}"
    if method == "OPTIONS":  # CORS, on any path
        assert (response.status_code, response.content) == (200, b"")
    elif operation is None:
        assert response.status_code in (401, 404, 405), call
        DESCRIPTION.judge_refusal(call, response.content)
    elif method == "HEAD":
        assert response.status_code in operation.statuses, call
        assert response.content == b""
    else:
        DESCRIPTION.judge(operation, response.status_code, headers, response.content)


# -- and a wrong fake would be found ------------------------------------------------------------------------


@dataclass(slots=True)
class WrongApp(AnswersAtOnce):
    """An emulator whose answers are changed on their way out."""

    emulator: Emulator
    change: Callable[[Request, Response], Response]

    def handle(self, request: Request) -> Response:
        answer = self.emulator.handle(request)
        assert isinstance(answer, Response)
        return self.change(request, answer)

    def receive(self, request_head: Request) -> Reception:
        return self.emulator.receive(request_head)


def with_another_field(request: Request, answer: Response) -> Response:
    body = json.dumps({**json.loads(cast("bytes", answer.body)), "more": 1}).encode()
    return answer._replace(body=body, headers={**answer.headers, "Content-Length": str(len(body))})


def accepted_only(request: Request, answer: Response) -> Response:
    return answer._replace(status=202) if answer.status == 200 else answer


def to_whoever_asks(request: Request, answer: Response) -> Response:
    return answer._replace(status=200) if answer.status == 401 else answer


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (with_another_field, "Response violates schema"),
        (accepted_only, "Undocumented status code"),
        (to_whoever_asks, "API accepts requests without authentication"),
    ],
)
def test_a_wrong_answer_is_found(
    emulator: Emulator, ask: Ask, change: Callable[[Request, Response], Response], complaint: str
) -> None:
    who = actor(World(emulator, ask))
    with Server(WrongApp(emulator, change)) as server, pytest.raises(FailureGroup, match=complaint):
        schema["/ping"]["GET"].Case().call_and_validate(
            base_url=server.url + BASE_PATH, headers=who.authorization, excluded_checks=NOT_HELD
        )
    emulator.close_instance(who.instance)
