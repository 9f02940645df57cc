"""The door for `requests`: which URLs it claims, what it makes of bodies and delays, and what it leaves alone."""

from __future__ import annotations

import gc
import io
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.util.retry import RequestHistory, Retry

from pytest_ocbulk import OcBulk, OcBulkError, PolledForEver, latency, rate_limit, status
from pytest_ocbulk.addresses import DEFAULT_BASE_URL, Addresses, base_url
from pytest_ocbulk.doors import InProcessDoor, create
from pytest_ocbulk.emulator.messages import Disconnect, Request
from pytest_ocbulk.in_process import ConnectionReset, InProcess
from pytest_ocbulk.intercept import Claim
from pytest_ocbulk.settings import read_settings

from .patience import PATIENCE

CSV = b"C_EmailAddress,C_FirstName\nann@example.com,Ann\n"
BOUNDARY = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + CSV + b"\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2/objects",
        "https://api.openconnectors.trial.eu10.ext.hana.ondemand.com/elements/api-v2/objects",
        "https://api.openconnectors.us2.ext.hana.ondemand.com:443/elements/api-v2/objects",
        "https://api.cloud-elements.com/elements/api-v2/objects",
        "https://api.cloud-elements.com:443/elements/api-v2/objects",
        "https://api.cloud-elements.co.uk/elements/api-v2/objects",
        "https://staging.cloud-elements.com/elements/api-v2/objects",
        "https://console.cloud-elements.com/elements/api-v2/objects",
    ],
)
def test_every_address_of_the_service_is_the_fakes(ocbulk: OcBulk, url: str) -> None:
    answer = requests.get(url, headers=ocbulk.headers)
    assert answer.json() == ["activities", "contact", "campaign", "list", "account"]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openconnectors.ext.hana.ondemand.com/elements/api-v2/objects",
        "https://openconnectors.us2.ext.hana.ondemand.com/elements/api-v2/objects",
        "https://api.openconnectors.us2.ext.hana.ondemand.com.evil.test/elements/api-v2/objects",
        "https://api.cloud-elements.com.evil.test/elements/api-v2/objects",
        "https://api.cloud-elements.com:8443/elements/api-v2/objects",
        "https://example.com/elements/api-v2/objects",
    ],
)
def test_other_addresses_are_not(url: str) -> None:
    assert Addresses().target(url) is None


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://gateway.test/oc/bulk/contact?path=/a.csv", "/elements/api-v2/bulk/contact?path=/a.csv"),
        ("https://gateway.test/oc", "/elements/api-v2"),
        ("https://gateway.test/oc?x=1", "/elements/api-v2?x=1"),
        ("https://gateway.test/other", None),
        ("https://gateway.test/oceans", None),
        ("https://api.cloud-elements.com", "/"),
    ],
)
def test_what_follows_a_configured_base_url_is_below_the_services_own(url: str, target: str | None) -> None:
    assert Addresses(("https://gateway.test/oc",)).target(url) == target


def test_a_base_url_loses_the_slash_at_its_end() -> None:
    assert base_url("https://gateway.test/oc/") == "https://gateway.test/oc"


@pytest.mark.parametrize(
    "text", ["gateway.test", "ftp://gateway.test", "https://gateway.test?x=1", "https://", "http://[::1", ""]
)
def test_what_is_no_base_url_is_refused(text: str) -> None:
    with pytest.raises(OcBulkError) as refused:
        base_url(text)
    assert str(refused.value) == f"a base URL looks like {DEFAULT_BASE_URL}, got {text!r}"


@pytest.mark.parametrize("user", ["user:pw", "user", ":pw"])
def test_a_base_url_with_a_user_is_refused_and_the_password_not_printed(user: str) -> None:
    with pytest.raises(OcBulkError) as refused:
        base_url(f"https://{user}@crm.example/api")
    assert str(refused.value) == (
        "a base URL holds no user and no password, got 'https://***@crm.example/api'"
    )


class Readable:
    """A body that can be read but not sought, as of streaming encoders."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def pieces() -> Iterator[bytes]:
    yield FORM[:50]
    yield FORM[50:]


@pytest.mark.parametrize(
    "body",
    [FORM, FORM.decode(), io.BytesIO(FORM), Readable(FORM), pieces(), bytearray(FORM)],
    ids=["bytes", "text", "file", "readable", "generator", "bytearray"],
)
def test_a_body_of_any_kind_arrives_whole(ocbulk: OcBulk, body: bytes) -> None:
    headers = {**ocbulk.headers, "Content-Type": BOUNDARY}
    answer = requests.post(f"{ocbulk.base_url}/bulk/contact", headers=headers, data=body)
    assert answer.json()["id"] == "1234"
    ocbulk.jobs[0].finish()
    assert ocbulk.records("contact")[0]["C_FirstName"] == "Ann"


def test_a_file_is_sent_from_where_it_stands(ocbulk: OcBulk, tmp_path: Path) -> None:
    path = tmp_path / "form"
    path.write_bytes(b"skipped" + FORM)
    with path.open("rb") as file:
        file.read(7)
        answer = requests.post(
            f"{ocbulk.base_url}/bulk/contact", headers={**ocbulk.headers, "Content-Type": BOUNDARY}, data=file
        )
    assert answer.status_code == 200


def test_a_large_body_is_not_kept_beyond_the_next_call(ocbulk: OcBulk) -> None:
    sent = requests.post(f"{ocbulk.base_url}/bulk/contact", headers=ocbulk.headers, files={"file": CSV})
    request = weakref.ref(sent.request)
    del sent
    requests.get(f"{ocbulk.base_url}/bulk/1234/status", headers=ocbulk.headers)
    gc.collect()
    assert request() is None


def test_status_headers_and_body_are_the_fakes_own(ocbulk: OcBulk) -> None:
    answer = requests.get(f"{ocbulk.base_url}/bulk/99/status", headers=ocbulk.headers)
    assert (answer.status_code, answer.reason) == (404, "Not Found")
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["elements-request-id"] == answer.json()["requestId"]
    assert answer.json()["message"] == "No job found with ID 99"


def test_an_encoded_slash_stays_inside_its_segment(ocbulk: OcBulk) -> None:
    answer = requests.get(f"{ocbulk.base_url}/contact/a%2Fb%20c", headers=ocbulk.headers)
    assert answer.json()["message"] == "No contact found with id a/b c"


def test_a_head_call_has_headers_and_no_body(ocbulk: OcBulk) -> None:
    answer = requests.head(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.content == b""


def test_a_streamed_answer_can_be_read_in_pieces(ocbulk: OcBulk) -> None:
    ocbulk.seed("account", [{"name": f"company {number}"} for number in range(5000)])
    requests.post(f"{ocbulk.base_url}/bulk/query?q=select name from account", headers=ocbulk.headers)
    ocbulk.jobs[0].finish()
    url = f"{ocbulk.base_url}/bulk/1234/account"
    with requests.get(url, headers={**ocbulk.headers, "Accept": "text/csv"}, stream=True) as answer:
        lines = list(answer.iter_lines(decode_unicode=True))
    assert (len(lines), lines[0], lines[-1]) == (5001, "name", "company 4999")


def test_a_late_answer_moves_the_clock(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", latency("3s"))
    requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers, timeout=10)
    assert ocbulk.clock.elapsed == 3


@pytest.mark.parametrize("timeout", [2, (1, 2)])
def test_an_answer_later_than_the_clients_timeout_is_a_read_timeout(ocbulk: OcBulk, timeout: object) -> None:
    ocbulk.faults.on("objects", latency("3s"))
    with pytest.raises(requests.ReadTimeout) as raised:
        requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers, timeout=timeout)  # type: ignore[arg-type]  # both forms are parameters
    assert str(raised.value) == (
        "HTTPSConnectionPool(host='api.openconnectors.us2.ext.hana.ondemand.com', port=443): "
        "Read timed out. (read timeout=2)"
    )
    assert ocbulk.clock.elapsed == 2
    assert raised.value.request is not None


class Silent(InProcess):
    """A fake that resets every connection."""

    def ask(self, request: Request, timeout: float | None = None) -> object:  # type: ignore[override]
        raise ConnectionReset


def test_a_reset_looks_like_one(ocbulk: OcBulk) -> None:
    with responses.RequestsMock() as mock:
        mock.add(Claim(Silent(ocbulk.evidence.emulator), Addresses()))
        with pytest.raises(requests.ConnectionError) as raised:
            requests.get(f"{ocbulk.base_url}/objects")
    assert (
        str(raised.value) == "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"
    )


def test_a_disconnect_of_the_core_is_a_reset(ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = InProcess(ocbulk.evidence.emulator)
    monkeypatch.setattr(type(fake.emulator), "handle", lambda self, request: Disconnect())
    with pytest.raises(ConnectionReset):
        fake.ask(Request.of("GET", "/elements/api-v2/objects"))


def session(retry: Retry) -> requests.Session:
    made = requests.Session()
    made.mount("https://", HTTPAdapter(max_retries=retry))
    made.mount("http://", HTTPAdapter(max_retries=retry))
    return made


def test_retries_by_status_wait_on_the_fakes_clock(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", rate_limit(30))
    ocbulk.faults.on("objects", rate_limit(40, form="date"))
    ocbulk.faults.on("objects", status(503), times=2)
    with session(Retry(5, backoff_factor=1, status_forcelist=[503])) as client:
        assert client.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers).ok
    assert [each.at - ocbulk.evidence.began for each in ocbulk.requests] == [0, 30, 70, 74, 82]
    ocbulk.assert_called("objects", times=5)


def test_what_is_due_during_such_a_pause_happens(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 20s COMPLETE")
    requests.post(f"{ocbulk.base_url}/bulk/contact", headers=ocbulk.headers, files={"file": CSV})
    ocbulk.faults.on("status", rate_limit(30))
    with session(Retry(1)) as client:
        answer = client.get(f"{ocbulk.base_url}/bulk/1234/status", headers=ocbulk.headers).json()
    assert answer["status"] == "COMPLETE"
    assert ocbulk.jobs[0].history[-1] == ("COMPLETE", 20.0)


def test_a_file_is_sent_again_from_where_it_stood(ocbulk: OcBulk, tmp_path: Path) -> None:
    ocbulk.faults.on("upload", status(503))
    path = tmp_path / "form"
    path.write_bytes(FORM)
    retry = Retry(1, status_forcelist=[503], allowed_methods=None)
    with session(retry) as client, path.open("rb") as file:
        headers = {**ocbulk.headers, "Content-Type": BOUNDARY}
        assert client.post(f"{ocbulk.base_url}/bulk/contact", headers=headers, data=file).ok
    assert ocbulk.requests.total == 2


@pytest.mark.parametrize("raises", [True, False])
def test_retries_come_to_an_end(ocbulk: OcBulk, raises: bool) -> None:
    ocbulk.faults.on("objects", status(503), times=3)
    retry = Retry(2, status_forcelist=[503], raise_on_status=raises)
    with session(retry) as client:
        if raises:
            with pytest.raises(requests.exceptions.RetryError, match="too many 503 error responses"):
                client.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
        else:
            assert client.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers).status_code == 503
    assert ocbulk.requests.total == 3


def retried(fake: OcBulk, retry: Retry) -> tuple[list[RequestHistory], str]:
    """The history that a client finds in its answer, and what it is told in the end, host and port left out."""
    fake.faults.on("objects", status(503), times=5)
    with session(retry) as client:
        client.get(f"{fake.base_url}/objects", headers=fake.headers, timeout=PATIENCE)
        answer = client.get(f"{fake.base_url}/objects?x=1", headers=fake.headers, timeout=PATIENCE)
        fake.faults.on("objects", status(503), times=3)
        retry.raise_on_status = True
        with pytest.raises(requests.exceptions.RetryError) as error:
            client.get(f"{fake.base_url}/objects", headers=fake.headers, timeout=PATIENCE)
    retries = answer.raw.retries
    assert isinstance(retries, Retry)
    text = re.sub(r"HTTPS?ConnectionPool\(host='.*?', port=\d+\)", "POOL", str(error.value))
    return list(retries.history), text


def test_the_history_of_retries_is_the_one_of_urllib3_on_a_port(
    ocbulk: OcBulk, ocbulk_server: OcBulk
) -> None:
    history, text = retried(ocbulk, Retry(2, status_forcelist=[503], raise_on_status=False))
    assert (history, text) == retried(ocbulk_server, Retry(2, status_forcelist=[503], raise_on_status=False))
    assert [each.status for each in history] == [503, 503]
    assert text == (
        "POOL: Max retries exceeded with url: /elements/api-v2/objects"
        " (Caused by ResponseError('too many 503 error responses'))"
    )


def test_without_a_retry_nothing_is_tried_again(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", status(503))
    assert requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers).status_code == 503
    assert ocbulk.clock.elapsed == 0


def test_an_adapter_of_the_users_own_is_intercepted_too(ocbulk: OcBulk) -> None:
    class Mine(HTTPAdapter):
        def send(self, request, *args, **kwargs):  # type: ignore[no-untyped-def]  # as users write it
            request.headers["X-Mine"] = "yes"
            return super().send(request, *args, **kwargs)

    with requests.Session() as client:
        client.mount("https://", Mine())
        client.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
    ocbulk.assert_called("objects", headers={"X-Mine": "yes"})


def test_other_hosts_pass_through_to_the_mock_that_was_there_before() -> None:
    with responses.RequestsMock() as outer:
        outer.get("https://elsewhere.test/", json={"from": "the outer mock"})
        door = InProcessDoor()
        door.begin(read_settings({}, "test", Path))
        try:
            assert requests.get("https://elsewhere.test/").json() == {"from": "the outer mock"}
        finally:
            door.end()


def test_other_hosts_are_refused_when_that_is_asked_for(ocbulk: OcBulk) -> None:
    ocbulk.other_hosts = "refuse"
    with pytest.raises(requests.ConnectionError) as refused:
        requests.get("https://elsewhere.test/x")
    assert str(refused.value) == (
        "GET https://elsewhere.test/x: not an address of the fake, and ocbulk.other_hosts is 'refuse'; "
        "if the call is meant, set ocbulk.other_hosts = 'pass'"
    )
    assert requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers).ok


@pytest.mark.parametrize("port", ["", ":80"])
def test_the_service_without_tls_is_refused_and_never_asked(ocbulk: OcBulk, port: str) -> None:
    url = f"http://api.cloud-elements.com{port}/elements/api-v2/objects"
    with pytest.raises(requests.ConnectionError) as refused:
        requests.get(url, headers=ocbulk.headers)
    assert str(refused.value) == (
        f"GET {url}: the service speaks https only, and a real call would send its secrets"
        " in plain text; it was not sent; use https://"
    )
    assert len(ocbulk.requests) == 0


def test_a_base_url_without_tls_is_the_fakes_when_it_is_asked_for() -> None:
    addresses = Addresses(("http://api.cloud-elements.com/elements/api-v2",))
    assert addresses.target("http://api.cloud-elements.com/elements/api-v2/objects")
    assert not addresses.lacks_tls("http://127.0.0.1:8765/elements/api-v2/objects")
    assert not addresses.lacks_tls("http://api.cloud-elements.com.evil.test/elements/api-v2/objects")


def asked_for_ever(ocbulk: OcBulk, timeline: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stops code that waits for a job without a pause, and tries again whatever goes wrong."""
    monkeypatch.setattr("pytest_ocbulk.in_process.MOST_POLLS", 1_000)
    ocbulk.next_job(timeline)
    form = {"file": ("a.csv", b"C_EmailAddress\na@example.com\n")}
    job = requests.post(f"{ocbulk.base_url}/bulk/contact", headers=ocbulk.headers, files=form).json()
    url = f"{ocbulk.base_url}/bulk/{job['id']}/status"

    def wait() -> None:
        status = ""
        while status != "COMPLETE":
            try:
                status = requests.get(url, headers=ocbulk.headers).json()["status"]
            except Exception:
                continue

    with pytest.raises(PolledForEver) as stopped:
        wait()
    assert len([each for each in ocbulk.requests if each.operation == "status"]) == 1_001
    return str(stopped.value)


@pytest.mark.ocbulk(allow=("unfinished_job", "client_warning"))
def test_code_that_polls_while_the_clock_stands_still_is_stopped(
    ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_for_ever(ocbulk, "CREATED 10m COMPLETE", monkeypatch) == (
        "job 1234 was asked for its status 1,000 times while the fake's clock stood still, so it stays CREATED for"
        " ever: let the pauses of the code under test move the clock with `with ocbulk.clock.drives_sleep():`,"
        " or plan the job in looks, next_job('CREATED x3 COMPLETE'), or move the clock yourself,"
        " ocbulk.clock.advance('10m')"
    )


@pytest.mark.ocbulk(allow="client_warning")
def test_code_that_does_not_know_an_end_is_stopped(ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_for_ever(ocbulk, "CREATED ABORTED", monkeypatch) == (
        "job 1234 was asked for its status 1,000 times while the fake's clock stood still; it is ABORTED, which is"
        " final, and the code under test does not take it for an end"
    )


@pytest.mark.ocbulk(allow=("unfinished_job", "client_warning"))
def test_code_that_never_gives_up_on_a_refusal_is_stopped(
    ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocbulk.faults.on("status", status(503), times="forever")
    assert asked_for_ever(ocbulk, "CREATED 10m COMPLETE", monkeypatch).startswith(
        "job 1234 was asked for its status 1,000 times"
    )


@pytest.mark.ocbulk(allow="client_warning")
def test_many_looks_are_fine_while_the_clock_moves(ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ocbulk.in_process.MOST_POLLS", 10)
    form = {"file": ("a.csv", b"C_EmailAddress\na@example.com\n")}
    job = requests.post(f"{ocbulk.base_url}/bulk/contact", headers=ocbulk.headers, files=form).json()
    for _ in range(3):
        for _ in range(10):
            assert requests.get(f"{ocbulk.base_url}/bulk/{job['id']}/status", headers=ocbulk.headers).ok
        ocbulk.clock.advance("1s")


def test_other_hosts_can_be_let_through_again(ocbulk: OcBulk) -> None:
    with responses.RequestsMock() as outer:
        outer.get("https://elsewhere.test/", json=1)
        door = InProcessDoor()
        door.begin(read_settings({}, "test", Path))
        handle = create(door, read_settings({}, "test", Path))
        try:
            handle.other_hosts = "refuse"
            handle.other_hosts = "pass"
            assert requests.get("https://elsewhere.test/").json() == 1
        finally:
            door.end()


def test_a_server_on_this_machine_is_reached_even_so(ocbulk: OcBulk, ocbulk_server: OcBulk) -> None:
    ocbulk.other_hosts = "refuse"
    answer = requests.get(f"{ocbulk_server.base_url}/objects", headers=ocbulk_server.headers)
    assert answer.ok
    ocbulk_server.assert_called("objects", times=1)


def test_a_misspelt_choice_for_other_hosts_is_refused(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.other_hosts = "refused"
    assert str(refused.value) == "other_hosts is 'pass' or 'refuse', got 'refused'; did you mean 'refuse'?"


def test_a_choice_for_other_hosts_that_is_far_off_is_told_the_choices_once(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.other_hosts = "block"
    assert str(refused.value) == "other_hosts is 'pass' or 'refuse', got 'block'"


def test_a_mock_inside_the_test_hides_the_fake_unless_it_is_installed_there(ocbulk: OcBulk) -> None:
    url = f"{ocbulk.base_url}/objects"
    with responses.RequestsMock() as mine:
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            requests.get(url, headers=ocbulk.headers)
        ocbulk.install_into(mine)
        assert requests.get(url, headers=ocbulk.headers).status_code == 200
    ocbulk.assert_called("objects", times=1)


def test_afterwards_requests_is_as_it_was_before() -> None:
    before = HTTPAdapter.send
    door = InProcessDoor()
    door.begin(read_settings({}, "test", Path))
    assert HTTPAdapter.send is not before
    door.end()
    assert HTTPAdapter.send is before
