"""Connectors and their hubs, as the platform lists them (protocol.md 1, 5, 12). The calls about hubs are public."""

from __future__ import annotations

from typing import Any

from ..connectors import Connector
from ..errors import NotFound
from .call import Answer, PlatformCall

HUBS: dict[str, int] = {
    "messaging": 1, "documents": 4, "crm": 11, "marketing": 12, "helpdesk": 14,  # ids as the hubs page prints them
    "esignature": 20, "idmanagement": 21, "pointofsale": 22, "general": 23, "finance": 24, "questback": 25,
    "ocr": 26, "monitoring": 27, "db": 28, "sageaccounting": 29, "sagepayroll": 30, "native": 31, "fsa": 32,
    "ecommerce": 33, "collaboration": 34, "conferencing": 35, "payment": 36, "billing": 37, "expense": 38,
    "employee": 39, "scheduling": 40, "analytics": 41, "erp": 42, "social": 43, "humancapital": 44,
    "screening": 45, "rewards": 46, "sage": 47,
}  # fmt: skip
"""Hub keys of protocol.md 1; ids from 20 on are our own, no source prints them."""


def list_hubs(call: PlatformCall) -> Answer:  # noqa: ARG001  # every endpoint is given its call
    """`GET /hubs`: `id`, `name`, `key` and `description` of each, as the hubs page shows them."""
    return Answer([_hub(key) for key in HUBS])


def list_hub_keys(call: PlatformCall) -> Answer:  # noqa: ARG001  # as above
    """`GET /hubs/keys`."""
    return Answer(list(HUBS))


def get_hub(call: PlatformCall) -> Answer:
    """`GET /hubs/{hub}`; 404 for an unknown key."""
    return Answer(_hub(_known_hub(call)))


def list_hub_elements(call: PlatformCall) -> Answer:
    """`GET /hubs/{hub}/elements`: the connectors of that hub."""
    hub = _known_hub(call)
    return Answer([element_body(each) for each in call.emulator.connectors.values() if each.hub == hub])


def _known_hub(call: PlatformCall) -> str:
    hub = call.names["hub"]
    if hub not in HUBS:
        raise NotFound(f"No hub found with key {hub!r}")
    return hub


def _hub(key: str) -> dict[str, Any]:
    return {"id": HUBS[key], "name": key.capitalize(), "key": key, "description": f"{key.capitalize()} hub"}


def list_elements(call: PlatformCall) -> Answer:
    """`GET /elements`."""
    return Answer([element_body(each) for each in call.emulator.connectors.values()])


def get_element(call: PlatformCall) -> Answer:
    """`GET /elements/{keyOrId}`."""
    return Answer(element_body(find_connector(call, call.names["element"])))


def find_connector(call: PlatformCall, key_or_id: object) -> Connector:
    """The connector of a key or an id; raises `NotFound`."""
    wanted = str(key_or_id)
    for connector in call.emulator.connectors.values():
        if wanted in (connector.key, str(connector.id)):
            return connector
    raise NotFound(f"No element found with key or ID {wanted!r}")


def element_body(connector: Connector) -> dict[str, Any]:
    """A connector as it is printed; both bulk flags are true, whatever one page says (protocol.md 5)."""
    return {
        "id": connector.id,
        "name": connector.name,
        "key": connector.key,
        "hub": connector.hub,
        "active": True,
        "deleted": False,
        "bulkDownloadEnabled": True,
        "bulkUploadEnabled": True,
    }
