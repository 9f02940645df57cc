"""Calls that reach, for each described operation, the statuses that no golden exchange needs to show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import DOCUMENTED
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.routes import ROUTES, Route

from .doors import Ask, Sent

QUERY = "/bulk/query?q=select%20*%20from%20contact"
ALWAYS_ANSWERED = {"objects", "metadata", "ping"}
"""The operations that a disabled instance still answers."""


@dataclass(frozen=True, slots=True)
class World:
    """An emulator and a way to ask it; each call of `samples` is made before the next one is written."""

    emulator: Emulator
    ask: Ask


@dataclass(frozen=True, slots=True)
class Actor:
    """An instance with a record and a finished query job."""

    instance: Instance
    record: str
    job: str

    @property
    def authorization(self) -> dict[str, str]:
        """All three secrets."""
        return authorization(self.instance)

    def names(self, template: str) -> dict[str, str]:
        """What the names in a path template stand for, about what this actor has."""
        own = {"instances": str(self.instance.id), "elements": str(self.instance.id), "bulk": self.job}
        names = {
            "object": "contact",
            "id": own.get(template.split("/")[1], self.record),
            "child": "activities",
            "childId": "1",
            "hub": "db",
            "element": "sqlserver",
        }
        return {name: value for name, value in names.items() if f"{{{name}}}" in template}

    def path(self, route: Route) -> str:
        """The path of a route, about what this actor has."""
        return route.template.format(**self.names(route.template))


def authorization(instance: Instance) -> dict[str, str]:
    """All three secrets of an instance."""
    return {
        "Authorization": f"Element {instance.token}, User {instance.user_secret},"
        f" Organization {instance.organization_secret}"
    }


def samples(world: World, with_body: set[tuple[str, str]]) -> Iterator[Sent]:
    """The calls; `with_body` are method and template of the operations that take a body."""
    for route in ROUTES:
        who = actor(world)
        yield from _refusals(world, who, route)
        if (route.method, route.template) in with_body:
            yield from _bodies(world, who, route)
        world.emulator.close_instance(who.instance)
    yield from _particular(actor(world, malformed_query_status=500))


def actor(world: World, **quirks: object) -> Actor:
    """A fresh one."""
    instance = world.emulator.create_instance(
        built_in("sqlserver"), dialect=DOCUMENTED, quirks=quirks, configuration={}
    )
    headers = authorization(instance)
    made = world.ask(_json("POST", "/contact", headers, {"C_EmailAddress": "a@example.com"}))
    world.ask(_json("POST", "/contact", headers, {"C_EmailAddress": "b@example.com"}))
    world.ask(_json("POST", f"/contact/{json.loads(made.body)['id']}/activities", headers, {"kind": "call"}))
    job = json.loads(world.ask(_json("POST", QUERY, headers, {})).body)["id"]
    world.ask(Sent("GET", f"{BASE_PATH}/bulk/{job}/status", headers))
    return Actor(instance, json.loads(made.body)["id"], job)


def _refusals(world: World, actor: Actor, route: Route) -> Iterator[Sent]:
    """400 to 406, where the call has them."""
    path, headers = actor.path(route), actor.authorization
    yield _call(route, route.template.replace("{", "").replace("}", ""), headers)  # nothing has these names
    yield _call(route, path + "?pageSize=none&q=select%20*%20from%20contact", headers)
    yield _call(route, path + "?q=select%20*%20from%20contact", {**headers, "Accept": "image/png"})
    if route.scope != "public":
        yield _call(route, path, {})
    if route.scope == "instance":
        yield from _at_a_closed_door(world, route, path)


def _at_a_closed_door(world: World, route: Route, path: str) -> Iterator[Sent]:
    """404 for a wrong hub where hubs are checked, 403 for a disabled instance."""
    instance = world.emulator.create_instance(
        built_in("sqlserver"), dialect=DOCUMENTED, quirks={"hub_checked": True}
    )
    yield _call(route, f"/hubs/crm{path}", authorization(instance))
    instance.disabled = route.operation not in ALWAYS_ANSWERED
    yield _call(route, path, authorization(instance))
    world.emulator.close_instance(instance)


def _bodies(world: World, actor: Actor, route: Route) -> Iterator[Sent]:
    """400 for a body that is none, 404 in a body, 413 for one that is too large, 415 for another type."""
    path, headers = actor.path(route), actor.authorization
    yield _call(route, path, headers, b"{")
    yield _call(route, path, {**headers, "Content-Type": "text/plain"}, b"x")
    yield _call(route, path.replace("sqlserver", "none"), headers, b'{"element": {"key": "none"}}')
    with _small_bodies(world.emulator):
        yield _call(route, path, headers, b"x" * 200)


@contextmanager
def _small_bodies(emulator: Emulator) -> Iterator[None]:
    """Let the emulator take bodies of at most 100 bytes for a while."""
    emulator.max_upload = 100
    yield
    emulator.max_upload = None


def _particular(actor: Actor) -> Iterator[Sent]:
    headers = actor.authorization
    yield Sent("GET", f"{BASE_PATH}/bulk/query?q=select", headers)
    yield Sent("GET", f"{BASE_PATH}/bulk/query", headers)
    yield _json("POST", "/bulk/query?q=select", headers, {})
    target = {"token": actor.instance.token, "objectName": "contact"}
    workflow = {"query": "select * from contact", "targetConfiguration": target}
    yield _json("POST", "/bulk/workflows", headers, [workflow])
    yield _json("POST", "/bulk/workflows", headers, [{**workflow, "query": "select"}])
    yield Sent("GET", f"{BASE_PATH}/bulkloader", headers)
    yield _json("POST", "/query", headers, {"script": "select * from contact"})
    yield _json("PUT", f"/contact/{actor.record}", headers, {"C_EmailAddress": "b@example.com"})


def _json(method: str, path: str, headers: dict[str, str], body: object) -> Sent:
    content = json.dumps(body).encode()
    kind = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    return Sent(method, BASE_PATH + path, headers | kind, content)


def _call(route: Route, path: str, headers: dict[str, str], body: bytes = b"") -> Sent:
    if body or route.method in ("POST", "PUT", "PATCH"):
        headers = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    return Sent(route.method, BASE_PATH + path, headers, body)
