"""What a function of the control API is given: who asks for what, about which instances."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError, nearest
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.jobs import Job
from pytest_ocbulk.emulator.messages import Request
from pytest_ocbulk.evidence import Evidence

from .control import NotThere


@dataclass
class ControlCall:
    """One call: what is asked, the names in its path, and what is controlled. `deliver` lets callbacks be posted."""

    emulator: Emulator
    request: Request
    names: Mapping[str, str]
    deliver: Callable[[], object] | None = None

    @cached_property
    def instances(self) -> list[Instance]:
        """The instance that `?token=` names, or all of them."""
        token = self.request.query.get("token")
        if token is None:
            return list(self.emulator.instances)
        found = self.emulator.instances.get(token)
        if found is None:
            known = [each.token for each in self.emulator.instances]
            raise NotThere(f"no instance has the element token {token!r}{nearest(token, known)}")
        return [found]

    @property
    def instance(self) -> Instance:
        """The one instance that is meant."""
        if len(self.instances) != 1:
            tokens = ", ".join(each.token for each in self.instances) or "none so far"
            raise OcBulkError(
                f"this call is about one instance: add ?token=, one of the element tokens {tokens}"
            )
        return self.instances[0]

    @property
    def job(self) -> Job:
        """The job that the path names."""
        evidence = Evidence(self.emulator, self.instance)
        evidence.tick()
        try:
            return evidence.job(self.names["id"])
        except OcBulkError as error:
            raise NotThere(str(error)) from None

    def body(self, *known: str) -> dict[str, Any]:
        """The JSON object that was sent, empty without a body; raises `OcBulkError` for a key it does not know."""
        value = self.json() if self.request.size else {}
        if not isinstance(value, dict):
            raise OcBulkError(f"expected a JSON object with {', '.join(known)}, got {json.dumps(value)[:40]}")
        for name in value:
            if name not in known:
                raise OcBulkError(f"unknown key {name!r} in the body{nearest(name, known)}")
        return value

    def json(self) -> Any:
        """The JSON that was sent."""
        self.request.body.seek(0)
        try:
            return json.loads(self.request.body.read())
        except (ValueError, RecursionError) as error:
            reason = (
                str(error) if isinstance(error, json.JSONDecodeError) else "not text, or nested too deeply"
            )
            raise OcBulkError(f"expected a JSON body, got invalid JSON: {reason}") from None

    def text(self, body: Mapping[str, Any], name: str) -> str:
        """A text of the body that must be there."""
        value = body.get(name)
        if not isinstance(value, str) or not value:
            raise OcBulkError(f"expected a text {name!r} in the body, got {json.dumps(value)[:40]}")
        return value
