"""Finds who holds a function by a name of his own: `from time import sleep`, `def wait(sleep=time.sleep)`.

Looked through are the globals of modules, the attributes of their classes, and the default values of their functions
and methods. What instances, closures and containers hold is not found.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any
from weakref import ref


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name of a module or class."""

    owner: Any
    name: str

    def get(self) -> Any:
        """What it is bound to."""
        return vars(self.owner).get(self.name)

    def put(self, value: Any) -> None:
        """Bind it to something else."""
        setattr(self.owner, self.name, value)


@dataclass(frozen=True, slots=True)
class Default:
    """The default value of a positional parameter."""

    owner: FunctionType
    at: int

    def get(self) -> Any:
        """The value."""
        values = self.owner.__defaults__ or ()
        return values[self.at] if self.at < len(values) else None

    def put(self, value: Any) -> None:
        """Change the value."""
        values = list(self.owner.__defaults__ or ())
        values[self.at] = value
        self.owner.__defaults__ = tuple(values)


@dataclass(frozen=True, slots=True)
class KeywordDefault:
    """The default value of a keyword-only parameter."""

    owner: FunctionType
    name: str

    def get(self) -> Any:
        """The value."""
        return (self.owner.__kwdefaults__ or {}).get(self.name)

    def put(self, value: Any) -> None:
        """Change the value."""
        if self.owner.__kwdefaults__ is not None:
            self.owner.__kwdefaults__[self.name] = value


Place = Attribute | Default | KeywordDefault


class Finder:
    """Finds the places that hold one of `wanted`, given by `id`; remembers what it found in unchanged modules."""

    def __init__(self, wanted: Mapping[int, object], skip: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.skip = skip
        self._known: dict[str, tuple[ref[ModuleType], int, list[Place]]] = {}

    def places(self) -> Iterator[Place]:
        """All places in all modules but those to be skipped and those of the standard library."""
        for name, module in list(sys.modules.items()):
            if type(module) is ModuleType and not self._standard(name) and not self.skip(name):
                yield from self._in_module(name, module)

    def _standard(self, name: str) -> bool:
        return name.partition(".")[0] in sys.stdlib_module_names and name != "__main__"

    def _in_module(self, name: str, module: ModuleType) -> list[Place]:
        known = self._known.get(name)
        if known is None or known[0]() is not module or known[1] != len(vars(module)):
            known = self._known[name] = (ref(module), len(vars(module)), list(self._in_names(module, name)))
        return known[2]

    def _in_names(self, owner: Any, module: str) -> Iterator[Place]:
        for name, value in list(vars(owner).items()):
            if id(value) in self.wanted:
                yield Attribute(owner, name)
            elif isinstance(value, FunctionType):
                yield from self._in_defaults(value)
            elif isinstance(value, staticmethod) and id(value.__func__) in self.wanted:
                continue  # cannot be told from its wrapper when put back; rare
            elif isinstance(value, type) and value.__module__ == module and value is not owner:
                yield from self._in_names(value, module)

    def _in_defaults(self, function: FunctionType) -> Iterator[Place]:
        for at, value in enumerate(function.__defaults__ or ()):
            if id(value) in self.wanted:
                yield Default(function, at)
        for name, value in (function.__kwdefaults__ or {}).items():
            if id(value) in self.wanted:
                yield KeywordDefault(function, name)
