"""Redaction by reference: each secret, e-mail address and name gets a stand-in, the same wherever it is met again.

So a recording tells nobody who was in it, and still tells that two answers were about the same person. Which stand-in
is whose is known only while the recording runs.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from pytest_ocbulk.emulator.jobs import KNOWN

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SECRET_FIELD = re.compile(
    r"(?:token|secret|password|passwd|credentials?|(?:api|signing|signature|subscription|private)[._-]?key)$",
    re.IGNORECASE,
)
_EMAIL_FIELD = re.compile(r"e-?mail", re.IGNORECASE)
_NAME_FIELD = re.compile(
    r"(?:first|last|middle|full|given|family|maiden|nick|display|company|customer|contact)[ ._-]?name$"
    r"|surname$|company$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\w+")
_LITERAL = re.compile(
    r"`?([\w.]+)`?\s*(?:=|!=|<=|>=|<|>|\blike\b|\bin\s*\()\s*('(?:[^']|'')*'|\"[^\"]*\")", re.IGNORECASE
)
_MASKED = re.compile(r"\**")

PROTOCOL_FIELDS = frozenset({
    "job_direction", "jobDirection", "fileFormat", "object_name", "objectName", "vendorPath", "vendorName",
    "vendorNativeType", "type", "key", "hub", "endpoint", "format",
})  # fmt: skip
"""Fields whose words are the service's own."""

KEPT_HEADERS = frozenset({
    "accept", "authorization", "content-type", "content-disposition", "retry-after", "elements-version",
    "elements-async-callback-url", "elements-schedule-request", "elements-request-id", "elements-returned-count",
    "elements-total-count", "elements-next-page-token", "elements-error", "elements-element-instance-id",
})  # fmt: skip
"""All other headers are left out, so that none that nobody thought of is written down."""

LONGEST_NAME = 4
"""Words of a name that is recognised inside a longer text."""

SECRETS = frozenset({"element", "user", "organization", "secret"})
SHORTEST_SECRET = 6
"""Letters of a secret that is looked for inside of words too."""


class Redactor:
    """Replaces; `fields` are names of further fields (columns) whose values nobody may see."""

    def __init__(self, fields: Collection[str] = ()) -> None:
        self._fields = {name.lower() for name in fields}
        self._references: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._secrets: list[str] = []

    # -- the parts of an exchange -----------------------------------------------------------------------

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers that a recording keeps."""
        kept = {name.lower(): value for name, value in headers.items() if name.lower() in KEPT_HEADERS}
        for name, redact in (
            ("authorization", self._authorization),
            ("elements-async-callback-url", self._callback),
            ("content-disposition", self.text),
            ("elements-error", self.text),
        ):
            if name in kept:
                kept[name] = redact(kept[name])
        return kept

    def target(self, target: str) -> str:
        """A path and query: conditions and values of fields are redacted like bodies."""
        path, _, query = target.partition("?")
        path = "/".join(quote(self.text(part), safe="") for part in path.split("/"))
        pairs = [
            (name, self._parameter(name, value)) for name, value in parse_qsl(query, keep_blank_values=True)
        ]
        return f"{path}?{urlencode(pairs)}" if query else path

    def body(self, content_type: str, body: bytes) -> bytes:
        """A body by its type; one that is no text is left out."""
        try:
            text = body.decode("utf-8-sig" if body[:3] == b"\xef\xbb\xbf" else "utf-8")
        except UnicodeDecodeError:
            return b""
        if "json" in content_type:
            return self._json(text).encode()
        if "csv" in content_type:
            return self._csv(text).encode()
        return self.text(text).encode()

    # -- values -----------------------------------------------------------------------------------------

    def value(self, field: str, value: Any) -> Any:
        """The value of a field, of any kind."""
        if isinstance(value, dict):
            return {name: self.value(name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(field, each) for each in value]
        if not isinstance(value, str) or field in PROTOCOL_FIELDS:
            return (
                self._reference("value", str(value)) if self._chosen(field) and value is not None else value
            )
        return self._text_value(field, value)

    def text(self, text: str) -> str:
        """A text in which anything may stand: addresses, and what is known already."""
        text = _EMAIL.sub(lambda found: self._email(found[0]), text)
        return self._known(text)

    def _text_value(self, field: str, value: str) -> str:
        if not value or _MASKED.fullmatch(value) or value in KNOWN:
            return value
        if _SECRET_FIELD.search(field):
            return self._reference("secret", value)
        if self._chosen(field):
            return self._reference("value", value)
        if _EMAIL_FIELD.search(field):
            return self._email(value)
        if _NAME_FIELD.search(field):
            return self._reference("name", value)
        nested = self._nested(value)
        return self.text(value) if nested is None else nested

    def _nested(self, value: str) -> str | None:
        """JSON in a text, such as a job's `metadata`."""
        if value[:1] not in "{[":
            return None
        try:
            return json.dumps(self.value("", json.loads(value)), ensure_ascii=False, separators=(",", ":"))
        except ValueError:
            return None

    def _chosen(self, field: str) -> bool:
        return field.lower() in self._fields

    def _email(self, value: str) -> str:
        """An address stays an address, and what is none stays none: the checks of a fake must see the same."""
        kind = "email" if _EMAIL.fullmatch(value) else "address"
        return self._reference(kind, value)

    def _reference(self, kind: str, value: str) -> str:
        known = self._references.get(value)
        if known is None:
            self._counts[kind] = number = self._counts.get(kind, 0) + 1
            known = self._references[value] = _FORMS[kind].format(number)
            self._references[known] = known  # what was redacted once is not redacted again
            if kind in SECRETS and len(value) >= SHORTEST_SECRET:
                self._secrets.append(value)
        return known

    def _known(self, text: str) -> str:
        """The text with every known value in it replaced: secrets anywhere, the rest as runs of whole words."""
        if text in self._references:
            return self._references[text]
        for secret in self._secrets:
            text = text.replace(secret, self._references[secret])
        words = [word.span() for word in _WORDS.finditer(text)]
        pieces, at, index = [], 0, 0
        while index < len(words):
            start = words[index][0]
            for _, stop in reversed(words[index : index + LONGEST_NAME]):
                if stop - start > 2 and (reference := self._references.get(text[start:stop])):
                    pieces += [text[at:start], reference]
                    at = stop
                    break
            index += 1
            while index < len(words) and words[index][0] < at:
                index += 1
        return "".join(pieces) + text[at:]

    # -- grammars ---------------------------------------------------------------------------------------

    def _authorization(self, header: str) -> str:
        """`Scheme value` pairs (protocol.md 2.1): the scheme stays."""
        pairs = (pair.strip().partition(" ") for pair in header.split(","))
        return ", ".join(
            f"{scheme} {self._reference(scheme.lower() if scheme.lower() in _FORMS else 'secret', value.strip())}"
            if value
            else self._reference("secret", scheme)
            for scheme, _, value in pairs
        )

    def _callback(self, url: str) -> str:
        return self._reference("callback", url)

    def _parameter(self, name: str, value: str) -> str:
        if name in ("where", "q"):
            return self.text(_LITERAL.sub(self._literal, value))
        return str(self.value(name, value))

    def _literal(self, found: re.Match[str]) -> str:
        """A quoted literal of a condition, by the field it is compared with."""
        sign = found[2][0]
        value = found[2][1:-1].replace(sign * 2, sign)
        redacted = self._text_value(found[1].rpartition(".")[2], value).replace(sign, sign * 2)
        whole = found[0]
        return f"{whole[: len(whole) - len(found[2])]}{sign}{redacted}{sign}"

    def _json(self, text: str) -> str:
        """JSON, or JSON lines."""
        try:
            return json.dumps(self.value("", json.loads(text)), ensure_ascii=False)
        except ValueError:
            return "".join(self._json_line(line) for line in text.splitlines(keepends=True))

    def _json_line(self, line: str) -> str:
        try:
            return json.dumps(self.value("", json.loads(line)), ensure_ascii=False) + "\n"
        except ValueError:
            return self.text(line)

    def _csv(self, text: str) -> str:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        header = rows[0] if rows else []
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\r\n" if "\r\n" in text else "\n")
        writer.writerows(rows[:1])
        writer.writerows(self._cells(header, row) for row in rows[1:])
        return written.getvalue()

    def _cells(self, header: list[str], row: list[str]) -> Iterable[str]:
        names = [*header, *([""] * (len(row) - len(header)))]
        return [str(self.value(name, cell)) for name, cell in zip(names, row, strict=False)]


_FORMS: dict[str, str] = {
    "element": "redacted-element-{}",
    "user": "redacted-user-{}",
    "organization": "redacted-organization-{}",
    "secret": "redacted-secret-{}",
    "email": "person{}@redacted.example",
    "address": "redacted-address-{}",
    "name": "Redacted{}",
    "value": "redacted-{}",
    "callback": "https://redacted-callback-{}.example/",
}
