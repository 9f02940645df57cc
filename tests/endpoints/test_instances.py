"""Instances over the API (protocol.md 2.2, 9.2, 12)."""

from __future__ import annotations

from typing import Any

import pytest

from .service import PLATFORM, Service

UNAUTHORIZED = "Invalid Organization or User secret, or invalid Element token provided."
SQL_SERVER = {
    "element": {"key": "sqlserver"},
    "configuration": {
        "db.host": "db.example.com:1433",
        "db.name": "crm",
        "username": "reader",
        "password": "hunter2",
        "event.notification.signature.key": "MySecretEventSignatureKey",
    },
    "tags": ["mine"],
    "name": "Warehouse",
}


@pytest.fixture
def service() -> Service:
    made = Service.of()
    made.headers = {"Authorization": PLATFORM}
    return made


def made(service: Service, **changes: Any) -> Any:
    reply = service.post("/instances", SQL_SERVER | changes)
    assert reply.status == 200, reply.text
    return reply.json


def as_element(service: Service, token: str) -> None:
    service.headers = {"Authorization": f"Element {token}, {PLATFORM}"}


def test_a_new_instance_has_the_body_of_section_12_with_secrets_masked(service: Service) -> None:
    body = made(service)
    number, token = body["id"], body["token"]
    assert isinstance(number, int)
    assert isinstance(token, str)
    assert token
    assert body == {
        "id": number,
        "name": "Warehouse",
        "createdDate": "2024-01-01T00:00:00.000Z",
        "token": token,
        "element": {
            "id": 490,
            "name": "Microsoft SQL Server",
            "key": "sqlserver",
            "hub": "db",
            "active": True,
            "deleted": False,
            "bulkDownloadEnabled": True,
            "bulkUploadEnabled": True,
        },
        "elementId": 490,
        "tags": ["mine"],
        "valid": True,
        "disabled": False,
        "maxCacheSize": 0,
        "cacheTimeToLive": 0,
        "cachingEnabled": False,
        "eventsEnabled": False,
        "traceLoggingEnabled": False,
        "externalAuthentication": "none",
        "configuration": {
            "db.host": "db.example.com:1433",
            "db.name": "crm",
            "username": "reader",
            "password": "********",
            "event.notification.signature.key": "********",
        },
        "user": {"id": 1, "emailAddress": "user@example.com", "firstName": "Test", "lastName": "User"},
    }


def test_its_token_opens_the_connector_it_was_made_of(service: Service) -> None:
    as_element(service, made(service)["token"])
    assert service.get("/ping").json["endpoint"] == "sqlserver"


def test_a_callback_key_that_is_masked_when_read_still_signs(service: Service) -> None:
    instance = service.emulator.instances.get(made(service)["token"])
    assert instance is not None
    assert instance.configuration["event.notification.signature.key"] == "MySecretEventSignatureKey"


@pytest.mark.parametrize("element", ["sqlserver", "490"])
def test_an_instance_is_made_below_its_element_by_key_or_id(service: Service, element: str) -> None:
    body = {name: value for name, value in SQL_SERVER.items() if name != "element"}
    reply = service.post(f"/elements/{element}/instances", body)
    assert reply.json["element"]["key"] == "sqlserver"
    assert [each["id"] for each in service.get(f"/elements/{element}/instances").json] == [reply.json["id"]]
    assert service.get(f"/elements/{element}/instances/{reply.json['id']}").json == reply.json
    assert service.get(f"/elements/sage200/instances/{reply.json['id']}").status == 404


def test_missing_required_configuration_is_named(service: Service) -> None:
    reply = service.post("/instances", SQL_SERVER | {"configuration": {"db.host": "h", "username": ""}})
    assert reply.status == 400
    assert reply.message == "Missing required configuration for sqlserver: db.name, username, password"


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"element": {"key": "nope"}}, 404, "No element found with key or ID 'nope'"),
        (
            {"element": "sqlserver"},
            400,
            'Expected the key of an element, like {"element": {"key": "sqlserver"}}, got none',
        ),
        ({"configuration": ["x"]}, 400, 'Expected configuration to be an object, got ["x"]'),
        ({"tags": "mine"}, 400, 'Expected tags to be an array of texts, got "mine"'),
    ],
)
def test_a_wrong_body_is_refused_and_makes_nothing(
    service: Service, changes: dict[str, Any], status: int, message: str
) -> None:
    before = len(service.emulator.instances)
    reply = service.post("/instances", SQL_SERVER | changes)
    assert (reply.status, reply.message) == (status, message)
    assert len(service.emulator.instances) == before


@pytest.mark.parametrize(
    "header",
    [
        "",
        "User user-secret",
        "User user-secret, Organization other",
        "User other, Organization organization-secret",
    ],
)
def test_platform_calls_need_user_and_organization(service: Service, header: str) -> None:
    service.headers = {"Authorization": header}
    for method, path in (("GET", "/instances"), ("POST", "/instances"), ("GET", "/elements")):
        reply = service.ask(method, path, SQL_SERVER)
        assert (reply.status, reply.message) == (401, UNAUTHORIZED)


def test_sending_all_three_credentials_is_fine(service: Service) -> None:
    as_element(service, service.instance.token)
    assert service.get("/instances").status == 200


def test_a_user_sees_own_instances_only(service: Service) -> None:
    other = service.emulator.create_instance(service.instance.connector)
    assert [each["id"] for each in service.get("/instances").json] == [service.instance.id]
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        reply = service.ask(method, f"/instances/{other.id}", {})
        assert (reply.status, reply.message) == (404, f"No element instance found with ID {other.id}")


def test_a_search_by_tag_finds_what_has_the_tag_and_is_404_when_nothing_has(service: Service) -> None:
    number = made(service)["id"]
    assert [each["id"] for each in service.get("/instances?tags[]=mine").json] == [number]
    assert [each["id"] for each in service.get("/instances?searchText=ware").json] == [number]
    reply = service.get("/instances?tags%5B%5D=yours")
    assert (reply.status, reply.message) == (404, "No element instances found for this search")


def test_a_user_without_instances_gets_an_empty_list(service: Service) -> None:
    service.emulator.close_instance(service.instance)
    assert service.get("/instances").json == []


def test_instances_are_paged(service: Service) -> None:
    made(service)
    first = service.get("/instances?pageSize=1")
    assert first.headers["elements-returned-count"] == "1"
    second = service.get(f"/instances?pageSize=1&nextPage={first.headers['elements-next-page-token']}")
    assert [first.json[0]["name"], second.json[0]["name"]] == ["Marketing (walk-through)", "Warehouse"]
    assert "elements-next-page-token" not in second.headers


def test_patch_changes_what_is_given_and_keeps_the_rest(service: Service) -> None:
    body = made(service)
    changed = service.ask(
        "PATCH", f"/instances/{body['id']}", {"tags": ["a", "b"], "configuration": {"db.name": "erp"}}
    ).json
    assert changed == body | {"tags": ["a", "b"], "configuration": body["configuration"] | {"db.name": "erp"}}
    assert service.get(f"/instances/{body['id']}").json == changed


def test_put_replaces_the_configuration_which_must_be_complete(service: Service) -> None:
    body = made(service)
    reply = service.ask("PUT", f"/instances/{body['id']}", {"configuration": {"db.name": "erp"}})
    assert (reply.status, reply.message) == (
        400,
        "Missing required configuration for sqlserver: db.host, username, password",
    )
    smaller = {"db.host": "h", "db.name": "erp", "username": "u", "password": "p"}
    reply = service.ask("PUT", f"/instances/{body['id']}", {"configuration": smaller, "name": "New"})
    assert reply.json["configuration"] == smaller | {"password": "********"}
    assert reply.json["name"] == "New"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_body_that_was_read_can_be_sent_back_without_losing_its_secrets(
    service: Service, method: str
) -> None:
    body = made(service)
    reply = service.ask(method, f"/instances/{body['id']}", body | {"name": "Sent back"})
    assert reply.json == body | {"name": "Sent back"}
    instance = service.emulator.instances.get(body["token"])
    assert instance is not None
    assert instance.configuration == SQL_SERVER["configuration"]


def test_an_instance_keeps_its_element(service: Service) -> None:
    number = made(service)["id"]
    reply = service.ask("PATCH", f"/instances/{number}", {"element": {"key": "sage200"}})
    assert (reply.status, reply.message) == (
        400,
        "Expected element 'sqlserver', which an instance keeps, got another",
    )


def test_markup_in_names_and_tags_is_taken_out(service: Service) -> None:
    link = '<a href="#" onClick="javascript:alert(\'xss\');return false;">@plain</a>'
    body = made(service, name=link, tags=[link])
    assert (body["name"], body["tags"]) == ("@plain", ["@plain"])


def test_a_call_without_id_is_about_the_instance_of_the_element_token(service: Service) -> None:
    body = made(service)
    assert service.ask("PATCH", "/instances", {"name": "x"}).status == 401
    as_element(service, body["token"])
    assert service.ask("PATCH", "/instances", {"name": "By token"}).json == body | {"name": "By token"}


def test_a_deleted_instance_is_401_for_its_token_and_404_for_its_id(service: Service) -> None:
    body = made(service)
    reply = service.ask("DELETE", f"/instances/{body['id']}")
    assert (reply.status, reply.body) == (200, b"")
    assert service.get(f"/instances/{body['id']}").status == 404
    as_element(service, body["token"])
    assert service.get("/objects").status == 401
    assert service.get("/Company").message == UNAUTHORIZED


def test_a_disabled_instance_refuses_records_and_still_lists_objects_until_it_is_enabled(
    service: Service,
) -> None:
    body = made(service)
    assert service.ask("DELETE", f"/instances/{body['id']}/enabled").status == 200
    assert service.get(f"/instances/{body['id']}").json["disabled"] is True
    as_element(service, body["token"])
    assert service.get("/Company").status == 403
    assert service.get("/Company").message == "The element instance is disabled"
    assert service.upload("Company", "City\nRome\n").status == 403
    assert service.get("/objects").status == 200
    assert service.ask("PUT", f"/instances/{body['id']}/enabled").json["disabled"] is False
    assert service.get("/Company").status == 200
