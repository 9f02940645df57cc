"""What a client names is never a file of ours, and what it sends is never more than data."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.file_names import disposition
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response
from pytest_ocbulk.http1.transmission import outgoing

PATHS = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "C:/boot.ini",
)
FORMULAS = (
    '=cmd|" /C calc"!A0',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    '=HYPERLINK("http://x")',
    "'=1",
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    emulator.create_instance(built_in("marketing"), token="t", user_secret="u")
    yield emulator
    emulator.close()


def ask(emulator: Emulator, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
    given = {
        "Authorization": "Element t, User u",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    answer = emulator.handle(Request.of(method, BASE_PATH + target, given, body))
    assert isinstance(answer, Response)
    return answer


def text(answer: Response) -> str:
    return (answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)).decode()


def form(file: str, name: str = "a.csv", metadata: dict[str, Any] | None = None) -> bytes:
    parts = [f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{file}']
    if metadata:
        parts.append(f'Content-Disposition: form-data; name="metaData"\r\n\r\n{json.dumps(metadata)}')
    return "".join(f"--B\r\n{part}\r\n" for part in parts).encode() + b"--B--\r\n"


# -- files

WATCH = (
    "open",
    "os.open",
    "sqlite3.connect",
    "os.listdir",
    "os.scandir",
    "subprocess.Popen",
    "os.system",
    "exec",
)


def test_no_path_that_a_client_sends_is_opened() -> None:
    """Python tells each file that it opens (PEP 578); everything a client can name is given a path."""
    code = f"""
import sys
sys.path.insert(0, {sys.path[0]!r})
from tests.security.test_names_and_files import PATHS, WATCH, send_paths
opened = []
sys.addaudithook(lambda event, values: opened.append(repr(values[:1])) if event in WATCH and WATCHING else None)
WATCHING = True
open("/dev/null").close()
assert opened, "the hook hears nothing"
del opened[:]
answers = send_paths()
WATCHING = False
assert answers > 100, answers
print([each for each in opened if any(word in each for word in ("passwd", "win.ini", "boot.ini"))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=".")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def send_paths() -> int:
    """Call everything with paths for names; how many answers came."""
    from urllib.parse import quote

    emulator = Emulator()
    emulator.create_instance(built_in("marketing"), token="t", user_secret="u")
    answers = 0
    multipart = "multipart/form-data; boundary=B"
    for path in PATHS:
        encoded = quote(path, safe="")
        metadata = {"fileName": path, "path": path, "format": "csv", "callback-payload": path, "listId": path}
        calls: list[tuple[str, str, bytes, dict[str, str]]] = [
            (
                method,
                f"/{prefix}{encoded}{suffix}",
                b'{"a": "' + path.encode() + b'"}',
                {"Content-Type": "application/json"},
            )
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            for prefix in (
                "",
                "objects/",
                "bulk/",
                "bulk/1234/",
                "contact/",
                "hubs/",
                "elements/",
                "instances/",
            )
            for suffix in ("", "/metadata", "/docs", "/status", "/data", "/x/y")
        ]
        calls += [
            (
                "POST",
                f"/bulk/contact?path={encoded}",
                form("C_EmailAddress\na@b.de\n", path, metadata),
                {"Content-Type": multipart},
            ),
            ("POST", f"/bulk/{encoded}", form("id\n1\n", path), {"Content-Type": multipart}),
            ("POST", f"/bulk/query?q={quote(f'select * from `{path}`')}&path={encoded}", b"", {}),
            (
                "POST",
                "/bulk/query?q=select%20*%20from%20contact",
                form("x", path, metadata),
                {"Content-Type": multipart},
            ),
            (
                "GET",
                f"/contact?where={quote(f'path = {path!r}')}&fields={encoded}&nextPage={encoded}",
                b"",
                {},
            ),
            (
                "POST",
                "/bulk/contact",
                form("C_EmailAddress\na@b.de\n"),
                {"Content-Type": multipart, "Elements-Async-Callback-Url": path},
            ),
            (
                "GET",
                "/objects",
                b"",
                {"Accept": path, "Elements-Version": path, "Authorization": f"Element {path}, User u"},
            ),
            (
                "POST",
                "/instances",
                json.dumps({"element": {"key": path}}).encode(),
                {"Content-Type": "application/json"},
            ),
        ]
        for method, target, body, headers in calls:
            answer = ask(
                emulator,
                method,
                target,
                body,
                **{key.replace("-", "_"): value for key, value in headers.items()},
            )
            text(answer)
            answers += 1
    emulator.tick()
    emulator.close()
    return answers


# -- data


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_data_like_any_other_text(formula: str, emulator: Emulator) -> None:
    """The fake gives back what it was given; whoever opens results in a spreadsheet has to know what is in them."""
    out = io.StringIO()
    csv.writer(out).writerows([["C_EmailAddress", "C_Company"], ["a@example.com", formula]])
    stub = json.loads(
        text(
            ask(
                emulator,
                "POST",
                "/bulk/contact",
                form(out.getvalue()),
                Content_Type="multipart/form-data; boundary=B",
            )
        )
    )
    ask(emulator, "GET", f"/bulk/{stub['id']}/status")
    (record,) = json.loads(text(ask(emulator, "GET", "/contact")))
    assert record["C_Company"] == formula
    query = json.loads(text(ask(emulator, "POST", "/bulk/query?q=select%20C_Company%20from%20contact")))
    ask(emulator, "GET", f"/bulk/{query['id']}/status")
    results = text(ask(emulator, "GET", f"/bulk/{query['id']}/contact", Accept="text/csv"))
    assert list(csv.reader(io.StringIO(results))) == [["C_Company"], [formula]]


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE records_1; --', "a`b", "a]b", "a'b", "_seq", "rowid", "c0", "1=1"]
)
def test_names_that_are_sql_are_names(name: str, emulator: Emulator) -> None:
    upload = form(f'"{name.replace(chr(34), chr(34) * 2)}",other\n1,2\n')
    stub = json.loads(
        text(ask(emulator, "POST", "/bulk/account", upload, Content_Type="multipart/form-data; boundary=B"))
    )
    assert json.loads(text(ask(emulator, "GET", f"/bulk/{stub['id']}/status")))["recordsFailedCount"] == 0
    (record,) = json.loads(text(ask(emulator, "GET", "/account")))
    assert record[name] == "1"
    assert record["other"] == "2"


# -- headers

BREAKS = ("\r\nSet-Cookie: a=b", "\nX: y", "\r\n\r\n<html>", "\0", "\u2028X: y", "\x85X: y")


@pytest.mark.parametrize("broken", BREAKS)
def test_no_value_of_a_client_begins_a_header_of_its_own(broken: str, emulator: Emulator) -> None:
    stub = json.loads(
        text(
            ask(
                emulator,
                "POST",
                "/bulk/query?q=select%20*%20from%20contact",
                form("x", metadata={"fileName": f"name{broken}"}),
                Content_Type="multipart/form-data; boundary=B",
            )
        )
    )
    ask(emulator, "GET", f"/bulk/{stub['id']}/status")
    answers = [
        ask(emulator, "GET", f"/bulk/{stub['id']}/contact"),
        ask(emulator, "OPTIONS", "/objects", Access_Control_Request_Headers=f"a{broken}"),
        ask(emulator, "GET", "/objects", Origin=f"http://a{broken}"),
    ]
    for answer in answers:
        head = outgoing(answer, method="GET", http10=False, keep_alive=True).first.partition(b"\r\n\r\n")[0]
        names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
        expected = {name.lower().encode() for name in answer.headers} | {
            b"content-length",
            b"transfer-encoding",
        }
        assert set(names) <= expected, head
        assert b"\n" not in head.replace(b"\r\n", b"")
    assert "name" in dict(answers[0].headers)["Content-Disposition"]


@pytest.mark.parametrize("broken", [*BREAKS, "\"; filename*=UTF-8''evil", "../../x", "\\..\\x"])
def test_a_file_name_stays_inside_its_quotes(broken: str) -> None:
    value = disposition(f"name{broken}")
    assert value.startswith('attachment; filename="name')
    assert value.count('"') == 2
    assert all(" " <= each <= "~" for each in value)
    assert "\\" not in value
