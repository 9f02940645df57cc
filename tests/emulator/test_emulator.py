"""The seam: ids, headers, the lock, what a closed instance answers, and that nothing but answers leaves it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import DOCUMENTED, LIVE
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.messages import OPEN_RECEPTION, SPOOL_BYTES, Reception, Request, Response
from pytest_ocbulk.emulator.routes import ROUTES
from pytest_ocbulk.emulator.timeline import Timeline

from ..patience import PATIENCE
from .asking import Asked, body_of, contacts, form


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked() as found:
        yield found


def together(count: int, work: Callable[[int], None]) -> None:
    """Do something in so many threads at once; the first error is raised here."""
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait(PATIENCE)
        work(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(run, range(count)))


# -- instances ----------------------------------------------------------------------------------------------


def test_what_is_not_given_is_made_up_or_taken_from_the_defaults() -> None:
    clock = ManualClock(7.0)
    defaults = Defaults(DOCUMENTED, {"id_type": "number"}, Timeline.parse("CREATED ERROR"), lambda: clock)
    emulator = Emulator(defaults=defaults)
    made = emulator.create_instance(built_in("sage200"))
    assert (made.id, made.name, made.created, made.clock) == (425904, "Sage 200", 7.0, clock)
    assert len({made.token, made.user_secret, made.organization_secret}) == 3
    assert (made.dialect.name, made.dialect.quirks.id_type) == ("documented", "number")
    assert str(made.plans.default) == "CREATED ERROR"


def test_what_is_given_is_kept() -> None:
    made = Emulator().create_instance(
        built_in("marketing"), token="t", user_secret="u", organization_secret="o", dialect=LIVE, name="n",
        quirks={"retention_days": 7}, configuration={"a": "b"}, tags=("x",),
    )  # fmt: skip
    assert (made.token, made.user_secret, made.organization_secret, made.name) == ("t", "u", "o", "n")
    assert (made.dialect.name, made.dialect.quirks.retention_days) == ("live", 7)
    assert (made.configuration, made.tags) == ({"a": "b"}, ("x",))


def test_an_unknown_quirk_makes_no_instance() -> None:
    emulator = Emulator()
    with pytest.raises(OcBulkError, match="unknown quirk 'colour'"):
        emulator.create_instance(built_in("marketing"), quirks={"colour": "red"})
    assert len(emulator.instances) == 0


def test_a_closed_instance_takes_everything_with_it(fake: Asked) -> None:
    job = fake.upload(contacts("Ann", "Ann"), callback="https://me.example/")
    assert fake.status(job) == "COMPLETED"
    running = fake.upload(contacts("Ben"))
    other = fake.another()
    fake.emulator.close_instance(fake.instance)
    assert fake.answer("GET", "/objects").status == 401
    assert (fake.emulator.take_callbacks(), fake.emulator.store.names(fake.instance.id)) == ([], [])
    assert fake.emulator.store.failures(job, 0, 10) == []
    assert running not in fake.instance.jobs
    fake.instance = other
    assert fake.get("/contact") == []


# -- answers ------------------------------------------------------------------------------------------------


def test_every_answer_has_a_request_id_of_its_own(fake: Asked) -> None:
    answers = [fake.answer("GET", path) for path in ("/objects", "/bulk/9/status", "/x/y/z/q/r", "/objects")]
    ids = [answer.headers["elements-request-id"] for answer in answers]
    assert len(set(ids)) == 4
    for answer, number in zip(answers, ids, strict=True):
        if answer.status != 200:
            assert json.loads(body_of(answer))["requestId"] == number


def test_the_length_is_told_where_it_is_known(fake: Asked) -> None:
    answer = fake.answer("GET", "/objects")
    assert answer.headers["Content-Length"] == str(len(body_of(answer)))


def test_a_head_has_the_headers_of_the_get_and_no_body(fake: Asked) -> None:
    got, head = fake.answer("GET", "/objects"), fake.answer("HEAD", "/objects")
    assert (head.status, body_of(head)) == (200, b"")
    assert {**head.headers, "elements-request-id": ""} == {**got.headers, "elements-request-id": ""}


def test_only_browsers_hear_of_access_control(fake: Asked) -> None:
    assert not any("Access-Control" in name for name in fake.answer("GET", "/objects").headers)
    headers = fake.answer("GET", "/objects", headers={"Origin": "https://a.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Expose-Headers"] == (
        "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token,"
        " Elements-Trace-Id, Elements-Error, Content-Disposition"
    )


def test_a_body_may_be_limited() -> None:
    head = Request.of("POST", "/elements/api-v2/bulk/contact")
    assert Emulator().receive(head) == OPEN_RECEPTION
    assert Emulator(max_upload=100).receive(head) == Reception(limit=100)


# -- nothing but answers ------------------------------------------------------------------------------------

WORDS = st.one_of(
    st.sampled_from(
        [
            "bulk",
            "objects",
            "hubs",
            "instances",
            "elements",
            "query",
            "ping",
            "jobs",
            "download",
            "workflows",
            "bulkloader",
            "status",
            "errors",
            "cancel",
            "data",
            "metadata",
            "docs",
            "contact",
            "list",
            "bad",
            "1234",
            "1",
            "marketing",
            "keys",
            "enabled",
            "fileUpload",
        ]
    ),
    st.text(max_size=5),
)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            "where",
            "q",
            "fields",
            "orderBy",
            "page",
            "pageSize",
            "nextPage",
            "json",
            "from",
            "tags[]",
            "action",
        ]
    ),
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(
            ["select * from contact", "C_Title = 'x'", "1", "id desc", "YTox", "bzox", "{}", "2024-01-01"]
        ),
    ),
    max_size=3,
)
BODIES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"{}",
            b"[]",
            b"null",
            b'{"a": {"b": [1]}}',
            b'{"query": 1}',
            b'{"id": 99999999999999999999}',
            form(b"a\n1\n")[0],
        ]
    ),
)
TYPES = st.sampled_from(
    ["", "application/json", "multipart/form-data; boundary=B", "text/csv", "multipart/form-data"]
)


@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "ä"]),
    st.lists(WORDS, max_size=5),
    QUERIES,
    BODIES,
    TYPES,
)
def test_whatever_is_asked_an_answer_in_the_services_shape_comes(
    method: str, words: list[str], query: dict[str, str], body: bytes, content_type: str
) -> None:
    with Asked() as fake:
        fake.upload(contacts("Ann"))
        segments = ("elements", "api-v2", *words)
        headers = {
            "authorization": f"{fake.authorization['Authorization']}, Organization {fake.instance.organization_secret}",
            "content-type": content_type,
        }
        plain = Request.of(method, "/", headers, body)
        request = Request(method, segments, query, plain.headers, plain.body, plain.size)
        for _ in range(2):  # and the next one works
            answer = fake.emulator.handle(request)
            assert isinstance(answer, Response)
            assert answer.status in (200, 400, 401, 403, 404, 405, 406, 409, 413, 415)
            text = body_of(answer)
            if answer.status != 200 and method != "HEAD":
                refusal = json.loads(text)
                assert list(refusal) == ["requestId", "message"]
                assert "Traceback" not in refusal["message"]
            elif text and "json" in answer.headers["Content-Type"] and b"\n" not in text:
                json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


# -- threads ------------------------------------------------------------------------------------------------


def test_many_threads_upload_and_look_at_once_and_every_row_arrives(fake: Asked) -> None:
    jobs: list[str] = []

    def work(number: int) -> None:
        for turn in range(5):
            job = fake.upload(contacts(*(f"p{number}x{turn}x{row}" for row in range(7))))
            jobs.append(job)
            assert fake.status(job) == "COMPLETED"
            assert fake.answer("GET", "/contact?pageSize=3&orderBy=C_FirstName desc").status == 200

    together(8, work)
    assert len(set(jobs)) == 40
    assert fake.answer("GET", "/contact?returnCount=true").headers["elements-total-count"] == "280"
    assert fake.instance.journal.total == 8 * 5 * 3 + 1


def test_instances_are_made_and_closed_while_others_are_asked(fake: Asked) -> None:
    def work(number: int) -> None:
        for _ in range(10):
            made = fake.emulator.create_instance(built_in("sqlserver"))
            header = {"Authorization": f"Element {made.token}, User {made.user_secret}"}
            assert fake.answer("POST", "/Company", b'{"City": "Denver"}', header).status == 200
            fake.emulator.tick()
            fake.emulator.next_due()
            fake.emulator.close_instance(made)
            assert fake.answer("GET", "/Company", headers=header).status == 401

    together(6, work)
    assert len(fake.emulator.instances) == 1


def test_a_large_upload_is_applied_by_one_thread_while_another_looks() -> None:
    rows = "".join(f"p{number}@example.com,{'x' * 90}\n" for number in range(4000))
    with Asked(background=True) as fake:
        job = fake.upload(b"C_EmailAddress,C_FirstName\n" + rows.encode())
        assert fake.status(job) == "RUNNING"
        seen: list[int] = []

        def work(number: int) -> None:
            if number == 0:
                while fake.emulator.work():
                    pass
            else:
                while (status := fake.get(f"/bulk/{job}/status"))["status"] == "RUNNING":
                    seen.append(status["recordsCount"])

        together(3, work)
        assert fake.get(f"/bulk/{job}/status")["recordsCount"] == 4000
        assert all(0 <= count <= 4000 for count in seen)


class Gate(io.BytesIO):
    """A body that cannot be read on before the gate is opened."""

    opened: threading.Event
    reached: threading.Event

    def read(self, size: int | None = -1) -> bytes:
        self.reached.set()
        assert self.opened.wait(PATIENCE), "nobody opened the gate"
        return super().read(size)


def gated(fake: Asked, name: str = "file") -> tuple[Request, Gate]:
    """A large upload that stands still while its form is read."""
    content, headers = form(contacts("Ann") + b"\n" * SPOOL_BYTES)
    gate = Gate(content.replace(b'name="file"', f'name="{name}"'.encode()))
    gate.opened, gate.reached = threading.Event(), threading.Event()
    return Request.of("POST", "/elements/api-v2/bulk/contact", {**fake.authorization, **headers}, gate), gate


def test_others_are_answered_while_a_large_form_is_read(fake: Asked) -> None:
    request, gate = gated(fake)
    with ThreadPoolExecutor(2) as pool:
        uploading = pool.submit(fake.emulator.handle, request)
        assert gate.reached.wait(PATIENCE)
        assert pool.submit(fake.get, "/contact").result(PATIENCE) == []
        gate.opened.set()
        answer = uploading.result(PATIENCE)
    assert isinstance(answer, Response)
    assert fake.status(json.loads(body_of(answer))["id"]) == "COMPLETED"
    assert fake.get("/contact?fields=C_FirstName") == [{"C_FirstName": "Ann"}]


def test_a_large_form_that_is_refused_or_not_wanted_any_more_stays_nowhere_open(fake: Asked) -> None:
    wrong, gate = gated(fake, "data")
    gate.opened.set()
    refused = fake.emulator.handle(wrong)
    assert isinstance(refused, Response)
    assert json.loads(body_of(refused))["message"] == "Expected a file part named 'file', got parts: 'data'"
    late, gate = gated(fake)
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(fake.emulator.handle, late)
        assert gate.reached.wait(PATIENCE)
        fake.emulator.close_instance(fake.instance)
        gate.opened.set()
        answer = uploading.result(PATIENCE)
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert late.passage.form is not None
    assert all(part.closed for part in late.passage.form.opened)


def test_results_are_read_while_others_write(fake: Asked) -> None:
    fake.upload(contacts(*(f"p{number}" for number in range(3000))))
    job = json.loads(body_of(fake.answer("POST", "/bulk/query?q=select C_FirstName from contact")))["id"]
    assert fake.status(job) == "COMPLETED"

    def work(number: int) -> None:
        if number:
            fake.upload(contacts(*(f"q{number}x{row}" for row in range(200))))
            fake.get("/contact?pageSize=1")
        else:
            assert body_of(fake.answer("GET", f"/bulk/{job}/contact")).count(b"\n") == 3001

    together(4, work)


def test_every_operation_has_a_name_that_faults_can_use() -> None:
    assert all(route.operation and route.operation.islower() for route in ROUTES)
