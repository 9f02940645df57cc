"""The numbers and tokens that a fake gives out, in the service's shapes: no dice, a seed."""

from __future__ import annotations

from hashlib import sha256


class Ids:
    """Numbers and tokens in the service's shapes, from a seed: two runs with one seed give the same ones."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._prefix = sha256(f"request {seed}".encode()).hexdigest()[:14]
        self._requests = 0
        self._jobs = 1233  # the first job is the walk-through's "1234"
        self._instances = 425_903
        self._urns = 0

    @property
    def counters(self) -> tuple[int, int, int]:
        """How far the numbers have come that must never be used twice."""
        return self._jobs, self._instances, self._urns

    def resume(self, counters: tuple[int, int, int], run: int) -> None:
        """Go on behind the numbers of an earlier process; `run` counts the processes."""
        self._jobs, self._instances, self._urns = counters
        self._prefix = sha256(f"request {self._seed} {run}".encode()).hexdigest()[:14]

    def request(self) -> str:
        """24 hex digits (protocol.md 2.3)."""
        self._requests += 1
        return f"{self._prefix}{self._requests:010x}"

    def job(self) -> str:
        """A decimal string (protocol.md 3.1)."""
        self._jobs += 1
        return str(self._jobs)

    def instance(self) -> int:
        """A number (protocol.md 3.1)."""
        self._instances += 1
        return self._instances

    def urn(self) -> str:
        """The receipt of an eventual creation (protocol.md 11.2)."""
        self._urns += 1
        return f"urn:{self._digest('urn', self._urns)[:16]}"

    def secret(self, kind: str, number: int) -> str:
        """An opaque token."""
        return self._digest(kind, number)[:32]

    def _digest(self, kind: str, number: int) -> str:
        return sha256(f"{kind} {self._seed} {number}".encode()).hexdigest()
