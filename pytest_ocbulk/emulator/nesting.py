"""Dotted columns and nested objects are two spellings of one record.

`properties.email` is `{"properties": {"email": ...}}`, and a name that ends in `[*]` is a list
(`emails.list[*].address`), in both directions (protocol.md 3.7). Lists that come as JSON are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ITEM = "[*]"
MAX_DEPTH = 100
"""Levels that are spelled as dots; what lies deeper stays one value, so that no recursion goes too deep."""


def flatten(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """Dotted path -> value of every leaf; lists and empty objects are leaves."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
            flat.update(flatten(value, f"{prefix}{name}.", depth + 1))
        else:
            flat[prefix + name] = value
    return flat


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The record that dotted names spell; where a leaf stands in the way of a branch, the later name wins."""
    record: dict[str, Any] = {}
    for path, value in pairs:
        *branches, leaf = path.split(".", MAX_DEPTH)
        node = record
        for branch in branches:
            node = _child(node, branch)
        if leaf.endswith(ITEM):
            node[leaf.removesuffix(ITEM)] = [value]
        else:
            node[leaf] = value
    return record


def _child(node: dict[str, Any], branch: str) -> dict[str, Any]:
    name = branch.removesuffix(ITEM)
    child = node.get(name)
    if branch.endswith(ITEM):
        if not (isinstance(child, list) and child and isinstance(child[0], dict)):
            child = node[name] = [{}]
        return child[0]  # type: ignore[no-any-return]  # made a dict just above
    if not isinstance(child, dict):
        child = node[name] = {}
    return child
