"""Faults of the answer: another one, a broken one, a late one, none."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from ..clock import LONGEST, is_number
from ..messages import Delivery, Disconnect, Response, http_date
from .base import Fault, Hit
from .rewriting import PHRASES, drop, is_json, json_value, refused, with_body
from .stalling import Stalling
from .words import BYTES, DURATION, FRACTION, NAME, NUMBER, RANGE, SEED, TEXT, duration, word


@dataclass(frozen=True)
class Status(Fault):
    """An error answer in the vendor's own shape; `provider_message` as the endpoint's own words (protocol.md 2.3)."""

    code: int = word(NUMBER)
    message: str | None = word(TEXT, None)
    provider_message: str | None = word(TEXT, None)

    kind = "status"
    phases = ("before", "after")

    def settle(self) -> None:
        """A code outside of the errors is refused."""
        if type(self.code) is not int or not 400 <= self.code <= 599:
            raise self.refusal(
                f"code is an error from 400 to 599, got {self.code!r}; for a 200 gone wrong use empty,"
                " malformed_json or wrong_type"
            )

    def answer(self, hit: Hit) -> Response:
        """The error instead of the answer."""
        return refused(
            hit.response, self.code, self.message or PHRASES.get(self.code, "Error"), self.provider_message
        )


@dataclass(frozen=True)
class RateLimit(Fault):
    """429 with `Retry-After`: whole seconds, or with `form="date"` what the instance's clock will show by then."""

    retry_after: float | str = word(DURATION, 2)
    form: Literal["seconds", "date"] = word(NAME, "seconds")

    kind = "rate_limit"
    phases = ("before", "after")

    def settle(self) -> None:
        """HTTP knows whole seconds only (RFC 9110, 10.2.3)."""
        wait = duration(self.retry_after)
        if wait != int(wait):
            raise self.refusal(f"Retry-After counts whole seconds, got {self.retry_after!r}")
        if self.form not in ("seconds", "date"):
            raise self.refusal(f"form is 'seconds' or 'date', got {self.form!r}")
        self.set("retry_after", wait)

    def answer(self, hit: Hit) -> Response:
        """The refusal and when to come again."""
        wait = float(self.retry_after)
        when = http_date(int(math.ceil(hit.at) + wait)) if self.form == "date" else str(int(wait))
        return refused(hit.response, 429, PHRASES[429], None, {"Retry-After": when})


_WIDEST = 10
"""The widest curve of latencies: one in twenty is a hundred million times as long as the usual one."""


@dataclass(frozen=True)
class Latency(Fault):
    """An answer that comes late: by `duration`, or by a time drawn for each call, repeatable by its `seed`.

    `between=("1s", "3s")` draws evenly; `median="1s", sigma=0.5` from the log-normal curve that real latencies follow.
    """

    duration: float | str | None = word(DURATION, None)
    between: tuple[float | str, float | str] | None = word(RANGE, None)
    median: float | str | None = word(DURATION._replace(bare=False), None)
    sigma: float = word(FRACTION, 0.5)
    seed: int | None = word(SEED, None)

    kind = "latency"

    def settle(self) -> None:
        """Exactly one way to say how late; a drawn one needs a seed."""
        given = [name for name in ("duration", "between", "median") if getattr(self, name) is not None]
        if len(given) != 1:
            raise self.refusal(
                "give one of a duration, between=('1s', '3s') and median='1s',"
                f" got {' and '.join(given) or 'none'}"
            )
        if given != ["duration"] and type(self.seed) is not int:
            raise self.refusal(
                f"{given[0]}= draws a time for each call; give it seed=, a whole number, so that a run can be repeated"
            )
        for name in ("duration", "median"):
            if getattr(self, name) is not None:
                self.set(name, duration(getattr(self, name)))
        if self.between is not None:
            self.set("between", self._range(self.between))
        if not (is_number(self.sigma) and 0 <= self.sigma <= _WIDEST):
            raise self.refusal(f"sigma is a number from 0 to {_WIDEST}, got {self.sigma!r}")

    def _range(self, given: tuple[float | str, float | str]) -> tuple[float, float]:
        low, high = duration(given[0]), duration(given[1])
        if low > high:
            raise self.refusal(f"between goes from the shorter to the longer time, got {given!r}")
        return low, high

    def delay(self, number: int) -> float:
        """Seconds by which the answer of the how manieth call hit, from 0, is late."""
        if self.between is not None:
            low, high = map(float, self.between)
            return low + (high - low) * self._drawn(number, "a")
        if self.median is not None:
            # Box and Muller: two even draws make one from the normal curve.
            radius = math.sqrt(-2 * math.log(1 - self._drawn(number, "a")))
            drawn = self.sigma * radius * math.cos(math.tau * self._drawn(number, "b"))
            return min(float(self.median) * math.exp(drawn), LONGEST)
        return float(self.duration or 0)

    def _drawn(self, number: int, what: str) -> float:
        return int(sha256(f"{self.seed} {number} {what}".encode()).hexdigest()[:13], 16) / 16**13

    def answer(self, hit: Hit) -> Response:
        """The same answer, later."""
        return hit.response.delivered(Delivery(delay=self.delay(hit.number)))


class Reset(Fault):
    """No answer: the connection is reset. With phase "after" the work is done and nobody hears of it."""

    kind = "reset"
    phases = ("before", "after")
    needs_socket = True

    def answer(self, hit: Hit) -> Disconnect:
        """RST instead of the answer."""
        drop(hit.response)
        return Disconnect()


@dataclass(frozen=True)
class Truncate(Fault):
    """The connection closes after so many bytes of the answer's body; a shorter body loses its last byte."""

    after: int = word(BYTES)

    kind = "truncate"
    needs_socket = True

    def settle(self) -> None:
        """Bytes are counted from 0."""
        self.at_least("after", 0)

    def answer(self, hit: Hit) -> Response:
        """The same answer, cut."""
        return hit.response.delivered(Delivery(truncate_after=_within(self.after, hit.response)))


class Stall(Stalling):
    """The answer's body stops after so many bytes and goes on later; a shorter body stops before its last byte."""

    kind = "stall"

    def answer(self, hit: Hit) -> Response:
        """The same answer, with a pause."""
        after = _within(self.after, hit.response)
        return hit.response.delivered(Delivery(stall_after=after, stall=float(self.seconds)))


def _within(after: int, response: Response) -> int:
    """The place of an accident: before the last byte of the body at the latest, where its length is known."""
    return max(0, min(after, len(response.body) - 1)) if isinstance(response.body, bytes) else after


class MalformedJson(Fault):
    """The right status and headers, and JSON that breaks off in the middle."""

    kind = "malformed_json"
    phases = ("after", "before")

    def answer(self, hit: Hit) -> Response:
        """Half of the JSON."""
        body = b""
        if json_value(hit.response) is not None and isinstance(hit.response.body, bytes):
            body = hit.response.body[: max(1, len(hit.response.body) // 2)]
        return with_body(hit.response, body if body and not is_json(body) else b'{"id": "12')


class WrongType(Fault):
    """Valid JSON of another type: an object comes in an array, an array as its first element (protocol.md 13)."""

    kind = "wrong_type"
    phases = ("after", "before")

    def answer(self, hit: Hit) -> Response:
        """The other type."""
        value = json_value(hit.response)
        swapped: Any = (
            (value[0] if value else {}) if isinstance(value, list) else [] if value is None else [value]
        )
        return with_body(hit.response, json.dumps(swapped, ensure_ascii=False).encode())


class Empty(Fault):
    """The right status and headers, and no body."""

    kind = "empty"
    phases = ("after", "before")

    def answer(self, hit: Hit) -> Response:
        """Nothing."""
        drop(hit.response)
        return hit.response._replace(body=b"", headers={**hit.response.headers, "Content-Length": "0"})
