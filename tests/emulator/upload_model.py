"""What an upload does to records, as plainly as it can be said: lists and dictionaries, one row after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_ocbulk.emulator.connectors import ObjectDefinition

Row = dict[str, str]
"""Column -> text, empty for no value."""


@dataclass
class Records:
    """The records of one object and the failed rows of one job."""

    shape: ObjectDefinition
    records: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)

    def upload(self, rows: list[Row], action: str, key: str, batch: int) -> None:
        """Apply rows in batches of `batch` rows; a batch is applied wholly or not at all."""
        rows = [{name: row[name] for name in rows[0]} for row in rows]  # in the order of the header
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            faults = {at: text for at, row in enumerate(part) if (text := self._fault(row))}
            if not faults:
                before = [dict(record) for record in self.records]
                for at, row in enumerate(part):
                    if text := self._apply(row, action, key):
                        faults, self.records = {at: text}, before
                        break
            if faults:
                first = min(faults)
                rows_named = f"{start + 1}-{start + len(part)}"
                others = f"Batch of rows {rows_named} failed: row {start + first + 1}: {faults[first]}"
                self.failures |= {start + at + 1: faults.get(at, others) for at in range(len(part))}

    def _fault(self, row: Row) -> str | None:
        """What is wrong with a row by itself: the complaint about its first bad column."""
        for name, text in row.items():
            definition = self.shape.fields.get(name)
            if definition is None:
                continue
            if definition.required and not text:
                return f"{name}: A value is required"
            if definition.type == "integer" and text and not text.isdigit():
                return f"{text}: Not a valid integer in {name}"
        return None

    def _apply(self, row: Row, action: str, key: str) -> str | None:
        values = {name: self._converted(name, text) for name, text in row.items()}
        if action != "create":
            found = next(
                (each for each in self.records if values[key] is not None and each.get(key) == values[key]),
                None,
            )
            if found is not None:
                if text := self._conflict(values, found):
                    return text
                found |= values
                return None
            if action == "update":
                return f"{values[key]}: No record found by {key}"
        if text := self._conflict(values, None):
            return text
        self.records.append(values)
        return None

    def _converted(self, name: str, text: str) -> Any:
        definition = self.shape.fields.get(name)
        return (int(text) if definition and definition.type == "integer" else text) if text else None

    def _conflict(self, values: dict[str, Any], own: dict[str, Any] | None) -> str | None:
        unique = [self.shape.primary_key, *self.shape.unique_fields]
        for name in dict.fromkeys(unique):
            taken = [each.get(name) for each in self.records if each is not own]
            if values.get(name) is not None and values[name] in taken:
                return f"Conflicts Found - {name}"
        return None
