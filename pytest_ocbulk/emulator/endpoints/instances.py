"""Instances over the API: made, listed, changed, disabled, deleted (protocol.md 2.2, 12).

A call without an id in its path is about the instance of the element token (live test of instances).
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..callbacks import SIGNATURE_KEY
from ..clock import iso
from ..connectors import Connector
from ..errors import BadRequest, NotFound, Unauthorized
from ..instances import Instance
from ..paging import cut, page_of, token
from .call import Answer, PlatformCall
from .elements import element_body, find_connector

MASK = "********"
"""What a secret of the configuration reads back as (12)."""

_TAG = re.compile(r"<[^>]*>")


def create_instance(call: PlatformCall) -> Answer:
    """`POST /instances` and `POST /elements/{keyOrId}/instances`; 400 names the configuration that is missing."""
    body = call.json_object()
    connector = _connector(call, body)
    configuration = _configuration(body, {})
    _require(connector, configuration)
    made = call.emulator.create_instance(
        connector,
        user_secret=call.user.user,
        organization_secret=call.user.organization,
        name=_name(body, connector.name),
        tags=_tags(body, ()),
        configuration=configuration,
    )
    return Answer(instance_body(made))


def list_instances(call: PlatformCall) -> Answer:
    """`GET /instances`: those of the user; a search (`tags[]`, `searchText`) that finds none is 404 (9.2)."""
    query = call.request.query
    tags = {query[name] for name in ("tags[]", "tags") if query.get(name)}
    words = query.get("searchText", "").lower()
    found = [
        each
        for each in call.emulator.instances.of(call.user)
        if tags <= set(each.tags) and words in each.name.lower() and _is_of_element(call, each)
    ]
    if (tags or words) and not found:
        raise NotFound("No element instances found for this search")
    page = page_of(query)
    following = page.offset + page.size
    shown, headers = cut(
        found[page.offset : following + 1], page.size, lambda _: token("o", following), always=False
    )
    return Answer([instance_body(each) for each in shown], headers)


def get_instance(call: PlatformCall) -> Answer:
    """`GET /instances/{id}`; with the token."""
    return Answer(instance_body(_find(call)))


def patch_instance(call: PlatformCall) -> Answer:
    """`PATCH /instances/{id}`: changes what is given; configuration is changed key by key."""
    instance = _find(call)
    return _changed(call, instance, instance.configuration)


def put_instance(call: PlatformCall) -> Answer:
    """`PUT /instances/{id}`: the configuration given is the whole of it."""
    return _changed(call, _find(call), {})


def delete_instance(call: PlatformCall) -> Answer:
    """`DELETE /instances/{id}`: its token answers 401 from now on (2.2)."""
    call.emulator.close_instance(_find(call))
    return Answer(body=b"")


def enable_instance(call: PlatformCall) -> Answer:
    """`PUT /instances/{id}/enabled`."""
    instance = _find(call)
    instance.disabled = False
    call.emulator.ledger.instance(instance)
    return Answer(instance_body(instance))


def disable_instance(call: PlatformCall) -> Answer:
    """`DELETE /instances/{id}/enabled`: record calls answer 403 from now on, `GET /objects` still 200 (2.2)."""
    instance = _find(call)
    instance.disabled = True
    call.emulator.ledger.instance(instance)
    return Answer(body=b"")


def instance_body(instance: Instance) -> dict[str, Any]:
    """An instance as it is printed (schema of the live test, fields of the eloqua page; 12)."""
    secret = {*instance.connector.secret_configuration, SIGNATURE_KEY}
    return {
        "id": instance.id,
        "name": instance.name,
        "createdDate": iso(instance.created),
        "token": instance.token,
        "element": element_body(instance.connector),
        "elementId": instance.connector.id,
        "tags": list(instance.tags),
        "valid": True,
        "disabled": instance.disabled,
        "maxCacheSize": 0,
        "cacheTimeToLive": 0,
        "cachingEnabled": False,
        "eventsEnabled": False,
        "traceLoggingEnabled": False,
        "externalAuthentication": "none",
        "configuration": {
            name: MASK if name in secret else value for name, value in instance.configuration.items()
        },
        "user": {"id": 1, "emailAddress": "user@example.com", "firstName": "Test", "lastName": "User"},
    }


def _find(call: PlatformCall) -> Instance:
    """The instance that the path names, or that of the element token; another user's is 404."""
    number = call.names.get("id")
    if number is None and not call.user.element:
        raise Unauthorized
    for instance in call.emulator.instances.of(call.user):
        wanted = instance.token == call.user.element if number is None else str(instance.id) == number
        if wanted and _is_of_element(call, instance):
            return instance
    if number is None:
        raise Unauthorized
    raise NotFound(f"No element instance found with ID {number}")


def _is_of_element(call: PlatformCall, instance: Instance) -> bool:
    element = call.names.get("element")
    return element is None or instance.connector.key == find_connector(call, element).key


def _connector(call: PlatformCall, body: dict[str, Any]) -> Connector:
    element = body.get("element")
    given = (element.get("key") or element.get("id")) if isinstance(element, dict) else None
    wanted = call.names.get("element") or given
    if not wanted:
        raise BadRequest('Expected the key of an element, like {"element": {"key": "sqlserver"}}, got none')
    return find_connector(call, wanted)


def _changed(call: PlatformCall, instance: Instance, configuration: dict[str, str]) -> Answer:
    body = call.json_object()
    if "element" in body and _connector(call, body).key != instance.connector.key:
        raise BadRequest(f"Expected element {instance.connector.key!r}, which an instance keeps, got another")
    if "configuration" in body:
        changed = _configuration(body, instance.configuration)
        _require(instance.connector, configuration | changed)
        instance.configuration = configuration | changed
    instance.name = _name(body, instance.name)
    instance.tags = _tags(body, instance.tags)
    call.emulator.ledger.instance(instance)
    return Answer(instance_body(instance))


def _configuration(body: dict[str, Any], earlier: dict[str, str]) -> dict[str, str]:
    """The configuration of a body as text; a masked secret that is sent back means the secret itself."""
    given = body.get("configuration", {})
    if not isinstance(given, dict):
        raise BadRequest(f"Expected configuration to be an object, got {json.dumps(given)[:40]}")
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
        if value is not None
    }
    return {name: earlier.get(name, text) if text == MASK else text for name, text in texts.items()}


def _require(connector: Connector, configuration: dict[str, str]) -> None:
    missing = [name for name in connector.required_configuration if not configuration.get(name)]
    if missing:
        raise BadRequest(f"Missing required configuration for {connector.key}: {', '.join(missing)}")


def _name(body: dict[str, Any], default: str) -> str:
    return _plain(body.get("name")) or default


def _tags(body: dict[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    tags = body.get("tags", default)
    if not isinstance(tags, list | tuple):
        raise BadRequest(f"Expected tags to be an array of texts, got {json.dumps(tags)[:40]}")
    return tuple(_plain(tag) for tag in tags)


def _plain(text: object) -> str:
    """A name or a tag without markup: the live test sends a link and reads back its text."""
    return "" if text is None else _TAG.sub("", str(text))
