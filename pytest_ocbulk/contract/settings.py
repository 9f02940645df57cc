"""`ocbulk_contract.toml`: what the cases may use at a target. Secrets are never in it; they come from the environment.

`examples/` holds the files that the fake is run with, one for each connector; they serve as patterns.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_ocbulk.emulator.errors import OcBulkError, nearest

FILE_NAME = "ocbulk_contract.toml"
EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class ContractSettings:
    """What the cases may use. A field that is empty lets the cases that need it be skipped.

    Each field's `need` says what it is for, in the words of the reason for skipping. Intervals are seconds.
    """

    object: str = field(default="", metadata={"need": "an object that supports bulk upload and download"})
    key: str = field(
        default="", metadata={"need": "the field that identifies a record, for upserts and look-ups"}
    )
    key_value: str = field(
        default="{run}.{n}@example.com",
        metadata={"need": "how key values are made: {run}, {n} and {number} are replaced"},
    )
    writable: str = field(default="", metadata={"need": "a text field that takes the run's mark"})
    optional: str = field(default="", metadata={"need": "a text field that may be left empty"})
    id: str = field(default="id", metadata={"need": "the field that addresses a record"})
    others: Mapping[str, Any] = field(
        default_factory=dict, metadata={"need": "further values that every record needs"}
    )
    bad: Mapping[str, Any] = field(default_factory=dict, metadata={"need": "values that the object refuses"})
    connector: str = field(default="marketing", metadata={"need": "the fake's connector to compare with"})
    poll_interval: float = field(default=3.0, metadata={"need": "seconds between two questions about a job"})
    job_timeout: float = field(default=600.0, metadata={"need": "seconds until a job is given up"})
    callback_url: str = field(
        default="", metadata={"need": "a public address that leads to callback_listen, such as a tunnel's"}
    )
    callback_listen: str = field(
        default="127.0.0.1:0", metadata={"need": "where callbacks arrive: host:port"}
    )

    def lacks(self, need: str) -> str:
        """Why a case that needs this cannot run; empty if it can."""
        if getattr(self, need):
            return ""
        return f"{FILE_NAME} has no {need!r}: {_FIELDS[need].metadata['need']}"


_FIELDS = {each.name: each for each in fields(ContractSettings)}


def read(path: Path) -> ContractSettings:
    """Read a settings file; raises `OcBulkError` naming file, key and what was expected."""
    try:
        return settings_of(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OcBulkError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def settings_of(values: Mapping[str, Any], file: str = FILE_NAME) -> ContractSettings:
    """Settings from the values of a file; raises `OcBulkError`."""
    for name, value in values.items():
        if name not in _FIELDS:
            raise OcBulkError(f"{file}: unknown key {name!r}{nearest(name, _FIELDS)}")
        wanted = _kind(name)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise OcBulkError(f"{file}: {name} takes a {_KIND_NAMES[wanted]}, got {value!r}")
    return ContractSettings(**values)


def find(folder: Path) -> ContractSettings:
    """The settings of a folder's `ocbulk_contract.toml`; without that file nothing is named."""
    path = folder / FILE_NAME
    return read(path) if path.exists() else ContractSettings()


def example(connector: str) -> ContractSettings:
    """The settings that the fake's own connectors are run with; raises `OcBulkError` for one of the user's."""
    known = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
    if connector not in known:
        raise OcBulkError(
            f"the contract has no example for connector {connector!r}{nearest(connector, known)}"
        )
    return read(EXAMPLES / f"{connector}.toml")


_KIND_NAMES: dict[Any, str] = {str: "text", dict: "table", (int, float): "number"}


def _kind(name: str) -> Any:
    if name in ("others", "bad"):
        return dict
    return (int, float) if name in ("poll_interval", "job_timeout") else str
