"""Which call is which: every path of the API in order, reserved words before names.

Paths are below `/elements/api-v2`, with or without `/hubs/{hub}` (the hub is decorative, protocol.md 1). `{name}`
stands for one segment. The third column is the operation: the name that faults and the journal use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .endpoints import (
    bulk,
    discovery,
    docs,
    elements,
    instances,
    queries,
    records,
    results,
    scripts,
    uploads,
    workflows,
)
from .errors import MethodNotAllowed, NotFound
from .messages import BASE, BASE_PATH

if TYPE_CHECKING:
    from .endpoints.call import Answer


class Route(NamedTuple):
    """One call: method, path template, operation and the function that answers it.

    `scope` says whose secrets it needs: those of an instance, of a user of the platform, or none. `produces` are the
    media types of which `Accept` must cover one; none: the endpoint decides by itself.
    """

    method: str
    template: str
    operation: str
    endpoint: Callable[[Any], Answer]
    scope: Literal["instance", "platform", "public"] = "instance"
    produces: tuple[str, ...] = ("application/json",)

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments of the template."""
        return tuple(self.template.strip("/").split("/"))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/hubs", "hubs", elements.list_hubs, "public"),
    Route("GET", "/hubs/keys", "hubs", elements.list_hub_keys, "public"),
    Route("GET", "/hubs/{hub}", "hubs", elements.get_hub, "public"),
    Route("GET", "/hubs/{hub}/elements", "hubs", elements.list_hub_elements, "public"),
    Route("GET", "/elements", "elements", elements.list_elements, "platform"),
    Route("GET", "/elements/{element}", "elements", elements.get_element, "platform"),
    Route("GET", "/elements/{element}/instances", "instances", instances.list_instances, "platform"),
    Route("POST", "/elements/{element}/instances", "instances", instances.create_instance, "platform"),
    Route("GET", "/instances", "instances", instances.list_instances, "platform"),
    Route("POST", "/instances", "instances", instances.create_instance, "platform"),
    Route("PATCH", "/instances", "instances", instances.patch_instance, "platform"),
    Route("PUT", "/instances", "instances", instances.put_instance, "platform"),
    Route("DELETE", "/instances", "instances", instances.delete_instance, "platform"),
    *(
        Route(method, path + below, "instances", endpoint, "platform")
        for path in ("/instances/{id}", "/elements/{element}/instances/{id}")
        for method, below, endpoint in (
            ("GET", "", instances.get_instance),
            ("PATCH", "", instances.patch_instance),
            ("PUT", "", instances.put_instance),
            ("DELETE", "", instances.delete_instance),
            ("PUT", "/enabled", instances.enable_instance),
            ("DELETE", "/enabled", instances.disable_instance),
        )
    ),
    Route("GET", "/objects", "objects", discovery.list_objects),
    Route("GET", "/objects/{object}/metadata", "metadata", discovery.object_metadata),
    Route("GET", "/objects/{object}/docs", "docs", docs.object_docs),
    Route("GET", "/ping", "ping", discovery.ping),
    Route("GET", "/bulk/jobs", "jobs", bulk.list_jobs),
    Route("GET", "/bulk/query", "query", queries.run_query, produces=()),
    Route("POST", "/bulk/query", "query", queries.create_query),
    Route("POST", "/bulk/download", "query", queries.create_download),
    Route("GET", "/bulk/{id}/status", "status", bulk.job_status),
    Route("GET", "/bulk/{id}/errors", "errors", bulk.job_errors),
    Route("PUT", "/bulk/{id}/cancel", "cancel", bulk.cancel_job),
    Route("GET", "/bulk/{id}/{object}", "download", results.download_results, produces=()),
    Route("GET", "/bulk/{id}/{object}/data", "download", results.page_results),
    Route("POST", "/bulk/{object}", "upload", uploads.create_upload),
    Route("POST", "/bulk/workflows", "workflows", workflows.create_workflow),
    Route("GET", "/bulkloader", "workflows", workflows.list_runs, "platform"),
    Route("POST", "/bulk/workflows/fileUpload/{object}", "upload", uploads.create_upload),
    Route("POST", "/query", "script", scripts.run_script),
    Route("GET", "/{object}", "records", records.list_records),
    Route("POST", "/{object}", "records", records.create_record),
    Route("GET", "/{object}/{id}", "records", records.get_record),
    Route("PATCH", "/{object}/{id}", "records", records.patch_record),
    Route("PUT", "/{object}/{id}", "records", records.put_record),
    Route("DELETE", "/{object}/{id}", "records", records.delete_record),
    Route("GET", "/{object}/{id}/{child}", "records", records.list_records),
    Route("POST", "/{object}/{id}/{child}", "records", records.create_record),
    Route("GET", "/{object}/{id}/{child}/{childId}", "records", records.get_record),
    Route("PATCH", "/{object}/{id}/{child}/{childId}", "records", records.patch_record),
    Route("PUT", "/{object}/{id}/{child}/{childId}", "records", records.put_record),
    Route("DELETE", "/{object}/{id}/{child}/{childId}", "records", records.delete_record),
)

PLATFORM = frozenset({("instances",), ("elements",), ("hubs",), ("bulkloader",)})
"""First segments of the calls that are not an instance's own."""

RESERVED = frozenset({"bulk", "objects", "ping", "hubs", "instances", "elements", "query", "bulkloader"})
"""First segments that are never the name of an object."""

_BULK_WORDS = {
    1: frozenset({"query", "download", "jobs", "workflows"}),
    2: frozenset({"status", "errors", "cancel"}),
}
"""Words that stand in front of object names below `/bulk` and `/bulk/{id}` (protocol.md 3)."""

_BY_LENGTH: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
for _route in ROUTES:
    _BY_LENGTH.setdefault(len(_route.parts), []).append((_route.parts, _route))


@lru_cache(maxsize=1024)  # a client that polls asks for the same path again
def match(method: str, segments: tuple[str, ...]) -> tuple[Route, Mapping[str, str]]:
    """The route of a path below the base, and the values of its names; HEAD is matched as GET.

    Raises `NotFound` for an unknown path and `MethodNotAllowed` for a known path with another method.
    """
    wanted = "GET" if method == "HEAD" else method
    candidates = _BY_LENGTH.get(len(segments), ())
    for parts, route in candidates:
        if route.method == wanted and (names := _bind(parts, segments)) is not None:
            return route, MappingProxyType(names)
    path = "/".join(segments)
    allowed = {route.method for parts, route in candidates if _bind(parts, segments) is not None}
    if allowed:
        also = {"HEAD"} if "GET" in allowed else set()
        raise MethodNotAllowed(f"Method {method} is not supported for /{path}", allowed | also)
    raise NotFound(f"No resource found at /{path}")


def _bind(parts: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    names: dict[str, str] = {}
    for at, (part, segment) in enumerate(zip(parts, segments, strict=True)):
        if part[0] == "{":
            if at == 0 and segment in RESERVED:
                return None
            if part == "{object}" and parts[0] == "bulk" and segment in _BULK_WORDS.get(at, ()):
                return None
            names[part[1:-1]] = segment
        elif part != segment:
            return None
    return names


def strip(segments: tuple[str, ...], beside: str = "") -> tuple[str, tuple[str, ...]]:
    """The hub in a path, empty if there is none, and the segments below it; raises `NotFound` off the base.

    `/hubs/{hub}/elements` is a call about the hub itself. `beside` ends the refusal: what else there is.
    """
    if segments[:2] != BASE:
        raise NotFound(f"No resource found at /{'/'.join(segments)}; the API is below {BASE_PATH}{beside}")
    rest = segments[2:]
    if len(rest) > 2 and rest[0] == "hubs" and rest[2:] != ("elements",):
        return rest[1], rest[2:]
    return "", rest
