"""The control API, called directly: what each call does, and what it says when it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from fake_server import control_calls
from fake_server.app import FakeServerApp
from fake_server.control import BODY_LIMIT, ControlApi
from fake_server.control_calls import CALLS
from fake_server.guard import Guard
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import Request, Response
from pytest_ocbulk.system_clock import SystemClock

FORM = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    b"C_EmailAddress\na@example.com\nb@example.com\n\r\n--B--\r\n"
)


class Served:
    """An app with two instances, M and S, each on its own manual clock."""

    def __init__(self) -> None:
        self.emulator = Emulator()
        for token, connector in (("M", "marketing"), ("S", "sqlserver")):
            self.emulator.create_instance(
                built_in(connector), token=token, user_secret="U", clock=ManualClock()
            )
        self.app = FakeServerApp(self.emulator, ControlApi(self.emulator))

    def answer(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        given = {"Host": "127.0.0.1:8765", **headers}
        answer = self.app.handle(Request.of(method, path, given, body))
        assert isinstance(answer, Response)
        return answer

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a control call that succeeds."""
        status, payload = self.tried(method, path, body)
        assert status == 200, payload
        return payload

    def tried(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of a control call."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.answer(method, f"/__ocbulk__{path}", content)
        assert isinstance(answer.body, bytes)
        return answer.status, json.loads(answer.body)

    def refused(self, method: str, path: str, body: Any = None) -> str:
        """What a control call says that cannot be done; its status and its message."""
        status, payload = self.tried(method, path, body)
        assert payload.keys() == {"message"}
        return f"{status} {payload['message']}"

    def api(self, method: str, path: str, body: bytes = b"", token: str = "M") -> Any:
        """The JSON of a call of the imitated API."""
        answer = self.answer(
            method,
            f"/elements/api-v2{path}",
            body,
            Authorization=f"Element {token}, User U",
            **{"Content-Type": "multipart/form-data; boundary=B"},
        )
        assert isinstance(answer.body, bytes)
        return json.loads(answer.body)

    def upload(self) -> str:
        return str(self.api("POST", "/bulk/contact", FORM)["id"])


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.emulator.close()


# -- the whole ---------------------------------------------------------------------------------------------


def test_health_tells_version_and_capabilities(served: Served) -> None:
    assert served.control("GET", "/health") == {
        "status": "ok",
        "version": version("pytest-ocbulk"),
        "capabilities": [
            "callbacks",
            "clock",
            "faults",
            "har",
            "jobs",
            "journal",
            "records",
            "timelines",
            "visibility",
            "warnings",
        ],
        "instances": 2,
    }


def test_health_names_the_clock_only_where_it_can_be_moved(served: Served) -> None:
    for instance in served.emulator.instances:
        instance.clock = SystemClock()
    assert "clock" not in served.control("GET", "/health")["capabilities"]


def test_the_index_lists_every_call_with_a_sentence(served: Served) -> None:
    calls = served.control("GET", "/")["calls"]
    assert len(calls) == len(CALLS)
    assert calls[1] == {
        "method": "GET",
        "path": "/__ocbulk__/health",
        "does": "Whether the server is up, its version and what it can do.",
    }
    assert all(each["does"].endswith(".") for each in calls)


def test_both_apis_are_served_behind_one_port(served: Served) -> None:
    assert served.api("GET", "/ping")
    assert served.control("GET", "/health")["status"] == "ok"
    assert served.answer("GET", "/__ocbulk__x/health").status == 404


def test_answers_are_json_that_nobody_keeps(served: Served) -> None:
    headers = dict(served.answer("GET", "/__ocbulk__/health").headers)
    del headers["Content-Length"]
    assert headers == {
        "Content-Type": "application/json;charset=UTF-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def test_head_is_answered_like_get_without_the_body(served: Served) -> None:
    answer = served.answer("HEAD", "/__ocbulk__/health")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


def test_other_sites_are_told_no_and_given_no_headers_to_read_it(served: Served) -> None:
    answer = served.answer("OPTIONS", "/__ocbulk__/reset", Origin="https://evil.example")
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_missing_token_is_asked_for(served: Served) -> None:
    api = ControlApi(served.emulator, guard=Guard("0.0.0.0", token="s3cret"))
    answer = api.handle(Request.of("GET", "/__ocbulk__/health", {"Host": "server"}))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    headers = {"Host": "server", "Authorization": "Bearer s3cret"}
    assert api.handle(Request.of("GET", "/__ocbulk__/health", headers)).status == 200


def test_bodies_are_bounded(served: Served) -> None:
    assert served.app.receive(Request.of("POST", "/__ocbulk__/faults")).limit == BODY_LIMIT
    assert served.app.receive(Request.of("POST", "/elements/api-v2/bulk/contact")).limit is None


@pytest.mark.parametrize("path", ["/", "/nonsense"])
def test_who_asks_beside_the_api_hears_of_both_apis(served: Served, path: str) -> None:
    answer = served.answer("GET", path)
    assert isinstance(answer.body, bytes)
    assert (answer.status, answer.headers["Content-Length"]) == (404, str(len(answer.body)))
    assert json.loads(answer.body)["message"] == (
        f"No resource found at {path}; the API is below /elements/api-v2, the control API below /__ocbulk__/"
    )


def test_who_asks_the_api_for_what_it_does_not_have_hears_of_the_api_only(served: Served) -> None:
    answer = served.answer("GET", "/elements/api-v2/bulk/1/2/3/4", Authorization="Element M, User U")
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["message"] == "No resource found at /bulk/1/2/3/4"


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", "/nonsense", "404 there is no /__ocbulk__/nonsense; GET /__ocbulk__/ lists the calls"),
        ("GET", "/jobs/1/2/3", "404 there is no /__ocbulk__/jobs/1/2/3; GET /__ocbulk__/ lists the calls"),
        ("GET", "/reset", "405 /__ocbulk__/reset knows POST, got GET"),
        ("PATCH", "/faults", "405 /__ocbulk__/faults knows DELETE, GET, POST, got PATCH"),
        ("GET", "/jobs/7?token=M", "404 there is no job '7'; no job was created so far"),
        ("GET", "/jobs?token=X", "404 no instance has the element token 'X'; known are M, S"),
        (
            "GET",
            "/jobs",
            "400 this call is about one instance: add ?token=, one of the element tokens M, S",
        ),
        (
            "GET",
            "/journal?token=M&operation=statu",
            "400 unknown operation 'statu'; did you mean 'status'?",
        ),
        ("GET", "/journal?token=M&format=hat", "400 format is json or har, got 'hat'; did you mean 'har'?"),
    ],
)
def test_what_cannot_be_asked_is_explained(served: Served, method: str, path: str, text: str) -> None:
    assert served.refused(method, path) == text


def test_the_only_instance_needs_no_token(served: Served) -> None:
    (_, other) = served.emulator.instances
    served.emulator.close_instance(other)
    assert served.control("GET", "/jobs") == {"jobs": []}
    served.emulator.close_instance(next(iter(served.emulator.instances)))
    assert served.refused("GET", "/jobs") == (
        "400 this call is about one instance: add ?token=, one of the element tokens none so far"
    )


def test_state_tells_all_of_an_instance_and_no_secrets(served: Served) -> None:
    served.upload()
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED x3 COMPLETE"})
    served.control("POST", "/faults?token=M", {"fault": "upload:reset"})
    (state,) = served.control("GET", "/state?token=M")["instances"]
    assert state == {
        "token": "M",
        "connector": "marketing",
        "name": "Marketing (walk-through)",
        "hub": "marketing",
        "dialect": "documented",
        "clock": {"token": "M", "now": "2024-01-01T00:00:00.000Z", "manual": True, "elapsed": 0.0},
        "objects": {"contact": 2},
        "jobs": [served.control("GET", "/jobs/1234?token=M")],
        "timelines": [
            {"timeline": "CREATED x3 COMPLETE", "object": None, "fail_rows": {}, "error": None},
        ],
        "default_timeline": "CREATED COMPLETE",
        "faults": [
            {
                "fault": "upload:reset",
                "operation": "upload",
                "fired": 0,
                "pending": True,
                "state": "upload:reset never fired: no upload call came for it",
            }
        ],
        "visibility": {"lag": 0.0, "partial": None},
        "calls": 1,
        "callbacks": [],
    }
    assert len(served.control("GET", "/state")["instances"]) == 2


def test_reset_forgets_one_instance(served: Served) -> None:
    served.upload()
    served.control("POST", "/clock/advance?token=M", {"by": "5s"})
    served.control("POST", "/timelines?token=S", {"timeline": "CREATED x3 COMPLETE"})
    served.control("POST", "/faults?token=M", {"fault": "upload:reset"})
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED x3 COMPLETE"})
    served.control("PUT", "/visibility?token=M", {"lag": "5s"})
    assert served.control("POST", "/reset?token=M") == {"reset": ["M"]}
    (state,) = served.control("GET", "/state?token=M")["instances"]
    for name in ("jobs", "timelines", "faults", "callbacks"):
        assert state[name] == []
    assert (state["objects"], state["calls"], state["clock"]["elapsed"]) == ({}, 0, 5)
    assert state["visibility"] == {"lag": 0.0, "partial": None}
    assert served.control("GET", "/timelines?token=S")["timelines"]
    assert served.api("GET", "/contact") == []


def test_reset_forgets_all_instances(served: Served) -> None:
    served.control("POST", "/timelines?token=S", {"timeline": "CREATED x3 COMPLETE"})
    assert served.control("POST", "/reset") == {"reset": ["M", "S"]}
    assert served.control("GET", "/timelines?token=S") == {"timelines": []}


def test_the_description_of_the_api_is_served(served: Served) -> None:
    assert served.control("GET", "/openapi.json")["openapi"].startswith("3.1")


def test_a_missing_description_is_said(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(control_calls, "files", lambda package: tmp_path)
    assert served.refused("GET", "/openapi.json") == (
        "404 this installation has no openapi.json; install pytest-ocbulk again"
    )


# -- jobs --------------------------------------------------------------------------------------------------


def test_a_job_is_told_in_full(served: Served) -> None:
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED 2s RUNNING 40s COMPLETE"})
    served.upload()
    served.control("POST", "/clock/advance?token=M", {"by": "1m"})
    job = served.control("GET", "/jobs/1234?token=M")
    assert len(job.pop("sha256")) == 64
    assert job == {
        "id": "1234",
        "object": "contact",
        "direction": "UPLOAD",
        "status": "COMPLETE",
        "ended": True,
        "timeline": "CREATED 2s RUNNING 40s COMPLETE",
        "history": [
            {"status": "CREATED", "after": 0.0},
            {"status": "RUNNING", "after": 2.0},
            {"status": "COMPLETE", "after": 42.0},
        ],
        "created": "2024-01-01T00:00:00.000Z",
        "records": 2,
        "failed": 0,
        "error": None,
        "file_size": 43,
        "callback_url": None,
    }
    assert [each["id"] for each in served.control("GET", "/jobs?token=M")["jobs"]] == ["1234"]


def test_looking_at_a_job_here_is_no_look_of_its_timeline(served: Served) -> None:
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED x1 COMPLETE"})
    served.upload()
    for _ in range(3):
        assert served.control("GET", "/jobs/1234?token=M")["status"] == "CREATED"


def test_jobs_are_moved_by_hand(served: Served) -> None:
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED 1h RUNNING 1h COMPLETE", "times": 3})
    for _ in range(3):
        served.upload()
    assert served.control("POST", "/jobs/1234/advance?token=M")["status"] == "RUNNING"
    assert served.control("POST", "/jobs/1235/finish?token=M")["status"] == "COMPLETE"
    assert (
        served.control("POST", "/jobs/1235/finish?token=M")["status"] == "COMPLETE"
    )  # once more does no harm
    failed = served.control("POST", "/jobs/1236/fail?token=M", {"error": "quota", "status": "ERROR"})
    assert (failed["status"], failed["error"]) == ("ERROR", "quota")
    assert served.api("GET", "/bulk/1236/status")["error"] == "quota"
    assert (
        served.refused("POST", "/jobs/1236/finish?token=M") == "400 job 1236 is ERROR already, which is final"
    )


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/jobs/1234/advance", None, "400 job 1234 is COMPLETE already, which is final"),
        ("/jobs/7/finish", None, "404 there is no job '7'; the jobs so far are 1234"),
        ("/jobs/1234/fail", {}, "400 expected a text 'error' in the body, got null"),
        ("/jobs/1234/fail", {"why": "x"}, "400 unknown key 'why' in the body; known are error, status"),
        ("/jobs/1234/fail", [1], "400 expected a JSON object with error, status, got [1]"),
    ],
)
def test_a_job_that_cannot_be_moved_says_why(served: Served, path: str, body: Any, text: str) -> None:
    served.upload()
    served.api("GET", "/bulk/1234/status")
    assert served.refused("POST", f"{path}?token=M", body) == text


# -- plans -------------------------------------------------------------------------------------------------


def test_jobs_are_planned(served: Served) -> None:
    plan = {
        "timeline": "CREATED COMPLETE",
        "object": "contact",
        "fail_rows": {"2": "bad e-mail"},
        "error": None,
    }
    assert served.control("POST", "/timelines?token=M", plan) == plan
    assert served.control("GET", "/timelines?token=M") == {"timelines": [plan]}
    served.upload()
    assert served.api("GET", "/bulk/1234/status")["recordsFailedCount"] == 1
    assert served.api("GET", "/bulk/1234/errors")[0]["status"] == "bad e-mail"


def test_plans_are_forgotten(served: Served) -> None:
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED x3 COMPLETE"})
    assert served.control("DELETE", "/timelines?token=M") == {"timelines": []}
    assert served.control("GET", "/timelines?token=M") == {"timelines": []}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"timeline": "CREATED COMPLET"},
            (
                "timeline 'CREATED COMPLET': 'COMPLET' is neither a status nor a hold (2s, 10m, x3, forever);"
                " did you mean 'COMPLETE'? A status from the future is written in quotes: 'COMPLET'."
            ),
        ),
        ({"timeline": 5}, "expected a text 'timeline' in the body, got 5"),
        ({"object": "contct"}, "marketing has no object 'contct'; did you mean 'contact'?"),
        (
            {"fail_rows": [3]},
            'expected fail_rows like {"3": "bad e-mail"}: data rows from 1, got [3]',
        ),
        ({"times": 0}, "times is a number from 1, got 0"),
        (
            {"course": "x"},
            "unknown key 'course' in the body; known are error, fail_rows, object, timeline, times",
        ),
        (b"{", "expected a JSON body, got invalid JSON: Expecting property name enclosed in double quotes:"),
        (b"\xff", "expected a JSON body, got invalid JSON: not text, or nested too deeply"),
    ],
)
def test_a_plan_that_cannot_be_says_why(served: Served, body: Any, text: str) -> None:
    assert served.refused("POST", "/timelines?token=M", body).startswith(f"400 {text}")


def test_faults_are_planned_and_forgotten(served: Served) -> None:
    added = served.control("POST", "/faults?token=M", {"fault": "objects:503:x2"})
    assert (added["fault"], added["pending"]) == ("objects:503:x2", True)
    served.api("GET", "/objects")
    (fault,) = served.control("GET", "/faults?token=M")["faults"]
    assert (fault["fired"], fault["state"]) == (1, "objects:503:x2 fired 1 of 2 times")
    served.api("GET", "/objects")
    (fault,) = served.control("GET", "/faults?token=M")["faults"]
    assert (fault["pending"], fault["state"]) == (False, "objects:503:x2 has fired")
    served.control("POST", "/faults?token=M", {"fault": "upload:reset"})
    (left,) = served.control("DELETE", "/faults?token=M&operation=objects")["faults"]
    assert left["operation"] == "upload"
    assert served.control("DELETE", "/faults?token=M") == {"faults": []}


def test_a_fault_that_cannot_be_says_why(served: Served) -> None:
    text = served.refused("POST", "/faults?token=M", {"fault": "uplod:reset"})
    assert text.startswith("400 ")
    assert "did you mean 'upload'?" in text
    assert served.refused("POST", "/faults?token=M") == "400 expected a text 'fault' in the body, got null"


def test_visibility_is_set(served: Served) -> None:
    assert served.control("PUT", "/visibility?token=M", {"lag": "5s", "partial": 0.5}) == {
        "lag": 5.0,
        "partial": 0.5,
    }
    assert served.control("GET", "/visibility?token=M") == {"lag": 5.0, "partial": 0.5}
    served.upload()
    served.api("GET", "/bulk/1234/status")
    assert len(served.api("GET", "/contact")) == 1
    served.control("POST", "/clock/advance?token=M", {"by": 5})
    assert len(served.api("GET", "/contact")) == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"partial": 2}, "400 visibility partial is a part from 0 to 1, got 2"),
        ({"partial": "half"}, '400 expected partial to be a number, got "half"'),
        ({"lag": [1]}, "400 expected lag to be a number, got [1]"),
        ({"lag": "soon"}, "400 'soon' is not a duration; write it like '250ms', '2s', '10m' or '1h30m'"),
    ],
)
def test_a_visibility_that_cannot_be_says_why(served: Served, body: Any, text: str) -> None:
    assert served.refused("PUT", "/visibility?token=M", body) == text


def test_records_are_put_there(served: Served) -> None:
    rows = [{"C_EmailAddress": "a@example.com"}, {"C_EmailAddress": "b@example.com"}]
    assert served.control("POST", "/records/contact?token=M", rows) == {"object": "contact", "added": 2}
    assert [each["C_EmailAddress"] for each in served.api("GET", "/contact")] == [
        "a@example.com",
        "b@example.com",
    ]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("contact", {}, "400 expected a JSON array of records, got {}"),
        ("contact", [1], "400 expected a JSON array of records, got [1]"),
        ("contact", None, "400 expected a JSON array of records, got null"),
        ("contct", [], "400 marketing has no object 'contct'; did you mean 'contact'?"),
    ],
)
def test_records_that_cannot_be_say_why(served: Served, path: str, body: Any, text: str) -> None:
    assert served.refused("POST", f"/records/{path}?token=M", body) == text


def test_of_records_with_a_wrong_one_none_is_put_there(served: Served) -> None:
    rows = [{"C_EmailAddress": "a@example.com"}, {"C_EmailAddress": "a@example.com"}]
    assert served.refused("POST", "/records/contact?token=M", rows) == (
        "400 seed('contact'): row 2: another record has this C_EmailAddress already"
    )
    assert served.api("GET", "/contact") == []


# -- time --------------------------------------------------------------------------------------------------


def test_the_clock_of_one_instance_is_moved(served: Served) -> None:
    (clock,) = served.control("POST", "/clock/advance?token=M", {"by": "1m30s"})["clocks"]
    assert clock == {"token": "M", "now": "2024-01-01T00:01:30.000Z", "manual": True, "elapsed": 90.0}
    assert [each["elapsed"] for each in served.control("GET", "/clock")["clocks"]] == [90.0, 0.0]


def test_the_clocks_of_all_instances_are_moved(served: Served) -> None:
    clocks = served.control("POST", "/clock/advance", {"by": 2.5})["clocks"]
    assert [each["elapsed"] for each in clocks] == [2.5, 2.5]


def test_a_clock_that_is_shared_is_moved_once(served: Served) -> None:
    one, other = served.emulator.instances
    other.clock = one.clock
    served.control("POST", "/clock/advance", {"by": 1})
    assert served.control("GET", "/clock")["clocks"][0]["elapsed"] == 1


def test_the_machines_time_cannot_be_moved(served: Served) -> None:
    for instance in served.emulator.instances:
        instance.clock = SystemClock()
    assert served.refused("POST", "/clock/advance", {"by": "5s"}) == (
        "400 this server keeps the machine's time, which cannot be moved: plan jobs with short holds, or end one with"
        " POST /__ocbulk__/jobs/{id}/finish"
    )
    clock = served.control("GET", "/clock")["clocks"][0]
    assert (clock["manual"], clock["elapsed"]) == (False, None)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, "400 expected 'by' in the body, like \"5s\", got null"),
        ({"by": True}, "400 expected 'by' in the body, like \"5s\", got true"),
        ({"by": -1}, "400 a duration cannot be negative, got -1"),
    ],
)
def test_a_time_that_cannot_be_says_why(served: Served, body: Any, text: str) -> None:
    assert served.refused("POST", "/clock/advance", body) == text


def test_without_instances_no_clock_can_be_moved() -> None:
    api = ControlApi(Emulator())
    answer = api.handle(
        Request.of("POST", "/__ocbulk__/clock/advance", {"Host": "localhost"}, b'{"by": "5s"}')
    )
    assert answer.body == b'{"message": "there is no instance whose clock could be moved"}'


def test_callbacks_are_delivered_while_the_clock_moves(served: Served) -> None:
    delivered: list[float] = []
    (instance, _) = served.emulator.instances
    served.app.control = ControlApi(
        served.emulator,
        deliver=lambda: delivered.extend(
            each.due - instance.created for each in served.emulator.take_callbacks()
        ),
    )
    served.control("POST", "/timelines?token=M", {"timeline": "CREATED 5s COMPLETE"})
    headers = {
        "Authorization": "Element M, User U",
        "Content-Type": "multipart/form-data; boundary=B",
        "Elements-Async-Callback-Url": "http://127.0.0.1:9/",
    }
    served.answer("POST", "/elements/api-v2/bulk/contact", FORM, **headers)
    served.control("POST", "/clock/advance?token=M", {"by": "10s"})
    assert delivered == [5]


# -- looking back ------------------------------------------------------------------------------------------


def test_the_journal_is_told_without_secrets(served: Served) -> None:
    served.api("GET", "/objects?x=1")
    journal = served.control("GET", "/journal?token=M")
    (exchange,) = journal["exchanges"]
    answer_headers = exchange.pop("answer_headers")
    assert answer_headers["elements-element-instance-id"]
    assert json.loads(exchange.pop("answer"))[1] == "contact"
    assert exchange == {
        "at": "2024-01-01T00:00:00.000Z",
        "operation": "objects",
        "method": "GET",
        "path": "/elements/api-v2/objects",
        "query": {"x": "1"},
        "headers": {
            "host": "127.0.0.1:8765",
            "authorization": "***",
            "content-type": "multipart/form-data; boundary=B",
        },
        "body": "",
        "size": 0,
        "status": 200,
        "job": "",
        "fault": "",
    }
    assert journal["forgotten"] == 0


def test_the_journal_is_searched(served: Served) -> None:
    served.upload()
    served.upload()
    served.api("GET", "/bulk/1235/status")

    def found(query: str) -> list[tuple[str, str]]:
        exchanges = served.control("GET", f"/journal?token=M{query}")["exchanges"]
        return [(each["operation"], each["job"]) for each in exchanges]

    assert found("&operation=upload") == [("upload", "1234"), ("upload", "1235")]
    assert found("&job=1235") == [("upload", "1235"), ("status", "1235")]
    assert found("&job=1235&operation=status") == [("status", "1235")]


def test_the_journal_is_an_http_archive_too(served: Served) -> None:
    served.upload()
    log = served.control("GET", "/journal?token=M&format=har")["log"]
    assert (log["version"], log["entries"][0]["_job"]) == ("1.2", "1234")


def test_the_journal_is_forgotten(served: Served) -> None:
    served.api("GET", "/objects")
    assert served.control("DELETE", "/journal?token=M") == {"exchanges": [], "forgotten": 0}
    assert served.control("GET", "/journal?token=M") == {"exchanges": [], "forgotten": 0}


def test_what_clients_did_wrong_is_told(served: Served) -> None:
    served.control("POST", "/timelines?token=M", {"fail_rows": {"1": "bad"}})
    served.upload()
    served.api("GET", "/bulk/1234/status")
    assert served.control("GET", "/warnings") == {
        "warnings": [
            {
                "token": "M",
                "text": "job 1234: 1 of 2 rows failed, and GET /bulk/1234/errors was never called;"
                " the first of them is row 1: bad",
            }
        ]
    }
