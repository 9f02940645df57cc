"""Which call is which (protocol.md 1, 2.3, 2.4, 3)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_ocbulk.emulator.errors import MethodNotAllowed, NotFound
from pytest_ocbulk.emulator.routes import ROUTES, Route, match, strip

from ..endpoints.service import Service


def found(method: str, path: str) -> tuple[str, Mapping[str, str]]:
    route, names = match(method, tuple(path.strip("/").split("/")))
    return route.template, names


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_template_is_found_by_a_path_of_its_form(route: Route) -> None:
    path = route.template.replace("{", "").replace("}", "")
    assert found(route.method, path)[0] == route.template


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/bulk/jobs", "GET, HEAD"),
        ("PUT", "/bulk/query", "GET, HEAD, POST"),
        ("GET", "/bulk/workflows", "POST"),
        ("GET", "/bulk/7/cancel", "PUT"),
        ("DELETE", "/bulk/7/status", "GET, HEAD"),
        ("DELETE", "/objects", "GET, HEAD"),
        ("PATCH", "/contact", "GET, HEAD, POST"),
        ("POST", "/contact/7", "DELETE, GET, HEAD, PATCH, PUT"),
        ("GET", "/instances/7/enabled", "DELETE, PUT"),
        ("DELETE", "/hubs", "GET, HEAD"),
    ],
)
def test_reserved_words_are_no_objects_and_a_wrong_method_names_the_right_ones(
    method: str, path: str, allowed: str
) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        found(method, path)
    assert refused.value.message == f"Method {method} is not supported for {path}"
    assert refused.value.headers == {"Allow": allowed}


def test_head_is_matched_as_get() -> None:
    assert found("HEAD", "/contact/7") == ("/{object}/{id}", {"object": "contact", "id": "7"})


@pytest.mark.parametrize("path", ["/a/b/c/d/e", "/objects/x/nonsense", "/ping/1", "/bulk", "/query/1/x"])
def test_an_unknown_path_is_404(path: str) -> None:
    with pytest.raises(NotFound) as refused:
        found("GET", path)
    assert refused.value.message == f"No resource found at {path}"


@pytest.mark.parametrize(
    ("path", "hub", "below"),
    [
        ("/elements/api-v2/objects", "", "objects"),
        ("/elements/api-v2/hubs/crm/objects", "crm", "objects"),
        ("/elements/api-v2/hubs/crm/instances/7", "crm", "instances/7"),
        ("/elements/api-v2/hubs", "", "hubs"),
        ("/elements/api-v2/hubs/keys", "", "hubs/keys"),
        ("/elements/api-v2/hubs/crm/elements", "", "hubs/crm/elements"),
    ],
)
def test_the_hub_is_taken_off_the_path(path: str, hub: str, below: str) -> None:
    assert strip(tuple(path.strip("/").split("/"))) == (hub, tuple(below.split("/")))


def test_a_path_off_the_base_is_404_and_says_where_the_api_is() -> None:
    with pytest.raises(NotFound) as refused:
        strip(("objects",))
    assert refused.value.message == "No resource found at /objects; the API is below /elements/api-v2"


EXPOSED = (
    "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, Elements-Trace-Id, "
    "Elements-Error, Content-Disposition"
)


class TestCors:
    """The list of section 2.4, in its order."""

    def test_a_preflight_needs_no_credentials(self) -> None:
        service = Service.of()
        service.headers = {}
        reply = service.ask(
            "OPTIONS", "/bulk/contact", Origin="http://x", Access_Control_Request_Headers="authorization,x-y"
        )
        assert reply.status == 200
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Access-Control-Allow-Headers"] == "authorization,x-y"
        assert reply.headers["Access-Control-Expose-Headers"] == EXPOSED
        assert "PUT" in reply.headers["Access-Control-Allow-Methods"]

    def test_answers_to_a_page_expose_the_headers_refusals_too(self) -> None:
        service = Service.of()
        for path, status in (("/objects", 200), ("/nope", 404)):
            reply = service.get(path, Origin="http://x")
            assert (reply.status, reply.headers["Access-Control-Expose-Headers"]) == (status, EXPOSED)
        assert "Access-Control-Expose-Headers" not in service.get("/objects").headers
