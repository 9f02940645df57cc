"""What a connector offers: objects, their fields, its health."""

from __future__ import annotations

from ..case import case
from ..facts import kinds
from ..subject import MISSING_OBJECT, Subject
from ..target import Answer

JSON = "application/json;charset=UTF-8"


@case("[docs] DP _includes/bulk-apis.md; [live-test] CH17 lifecycle.js, CH18 assets/basics.js (protocol 8)")
def objects_are_listed_by_name(at: Subject) -> None:
    """GET /objects is an array of names."""
    answer = at.get("/objects")
    at.saw("status", answer.status, 200)
    at.saw("content type", answer.headers.get("content-type"), JSON)
    at.saw("kinds of items", kinds(answer.json()), ["text"])


@case("[live-test] CH18 platform/elements/instances.js; [docs] CEH/discovery-apis (protocol 8)")
def helium_lists_objects_with_their_type(at: Subject) -> None:
    """With Elements-Version: Helium the items are objects."""
    items = at.get("/objects", {"Elements-Version": "Helium"}).json()
    at.saw("fields of items", sorted({key for item in items for key in item}), ["name", "type", "vendorName"])
    at.saw("types are known", {item["type"] for item in items} <= {"vendor", "ceCanonical", "vdr"}, True)


@case("[live-test] CH18 platform/elements/instances.js, 'should ignore any provided hub' (protocol 1)")
def the_hub_in_the_path_is_ignored(at: Subject) -> None:
    """A hub that does not exist changes nothing."""
    with_hub = at.get("/hubs/no-such-hub/objects")
    at.saw("status", with_hub.status, 200)
    at.saw("same as without a hub", with_hub.body == at.get("/objects").body, True)


@case(
    "[docs] CEH/cd98142; [live-test] CH18 hubspot, sfdc metadata tests (protocol 8)", needs=("object", "key")
)
def an_object_has_metadata(at: Subject) -> None:
    """The fields of an object, each with its path and type."""
    answer = at.get(f"/objects/{at.object}/metadata")
    at.saw("status", answer.status, 200)
    at.saw("fields of the body", answer.keys, ["fields"])
    fields = answer.json()["fields"]
    always = {"vendorPath", "type", "mask", "format"}
    at.saw("each field has path, type, mask and format", all(always <= set(each) for each in fields), True)
    flags = [value for each in fields for name, value in each.items() if name in FLAGS]
    at.saw("kinds of flags", kinds(flags), ["boolean"])
    at.saw("the key is among them", at.settings.key in [each["vendorPath"] for each in fields], True)


FLAGS = ("vendorReadOnly", "vendorRequired", "filterable", "createable", "updateable", "custom")


@case("[live-test] CH18 elements/chargify/objectMetadata.js (protocol 8)")
def metadata_of_an_unknown_object_is_404(at: Subject) -> None:
    """There are no fields of an object that there is not."""
    at.refused(at.get(f"/objects/{MISSING_OBJECT}/metadata"), 404)


@case("[swagger] Pong; [live-test] CH18 (protocol 12)")
def ping_answers_health(at: Subject) -> None:
    """GET /ping says when, what and whether it is valid."""
    answer = at.get("/ping")
    at.saw("status", answer.status, 200)
    at.saw("fields of the body", answer.keys, ["dateTime", "endpoint", "valid"])
    at.saw("valid", answer.json().get("valid"), True)


@case("[live-test] CH17/CH18 platform/general/headers.js (protocol 2.4)")
def browsers_may_read_the_headers(at: Subject) -> None:
    """The list of exposed headers, in the service's order."""
    answer: Answer = at.get("/objects", {"Origin": "https://example.com"})
    exposed = answer.headers.get("access-control-expose-headers", "")
    at.saw("exposed headers", [name.strip().lower() for name in exposed.split(",")], EXPOSED)


EXPOSED = [
    "elements-returned-count",
    "elements-total-count",
    "elements-request-id",
    "elements-next-page-token",
    "elements-trace-id",
    "elements-error",
    "content-disposition",
]
