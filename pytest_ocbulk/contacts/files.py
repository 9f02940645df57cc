"""A small file of contacts in hand: its rows, its bytes, and the errors it will cause."""

from __future__ import annotations

import builtins
import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ocbulk.emulator.errors import OcBulkError

from .defects import Defect, plan_defects
from .layout import Layout
from .pools import dice
from .recipes import Recipe, recipe_for
from .writing import stream

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class ContactsFile:
    """Contacts as a test holds them.

    `rows` are all rows as written, `good_rows` those that arrive, `bad_rows` those with a defect. After a
    defect that breaks the file nothing is read, so later rows are neither good nor bad.
    `expected_errors` are the items of `GET /bulk/{id}/errors`, with the row's number (from 1, without the
    header) and text; `expected_abort` is the job's `error` if the file breaks, else None.
    All this is foretold for rows that are batches of their own: the default of `marketing` and `sage200`,
    and of any upload with `bulkUploadRecordSize` 1. In a larger batch a bad row takes its neighbours with it.
    """

    object: str
    columns: tuple[str, ...]
    rows: list[Row]
    good_rows: list[Row]
    bad_rows: list[Row]
    expected_errors: list[dict[str, int | str]]
    expected_abort: str | None
    bytes: builtins.bytes = field(repr=False)
    directory: Path | None = None

    @property
    def path(self) -> Path:
        """The file on disk, written when first asked for; raises `OcBulkError` without a directory.

        The name carries a digest of the content: equal files share a name, different ones never do.
        """
        if self.directory is None:
            raise OcBulkError(
                "these contacts have no directory to be written to; make them with "
                "contacts(..., directory=tmp_path), or take their .bytes"
            )
        path = self.directory / f"{self.object}-{hashlib.sha256(self.bytes).hexdigest()[:12]}.csv"
        if not path.exists():
            path.write_bytes(self.bytes)
        return path


def contacts(
    n: int,
    *,
    connector: str = "marketing",
    object: str = "contact",
    locale: str = "en_US",
    seed: int | str = 0,
    encoding: str = "utf-8",
    bom: bool = False,
    delimiter: str = ",",
    newline: str = "\n",
    bad: Mapping[str, int] | None = None,
    directory: Path | None = None,
) -> ContactsFile:
    """Make `n` contacts for a test; without `bad` the bytes are those that `write_contacts` writes.

    `bad` says how many rows of each kind of defect (`BAD_KINDS`) are among the `n`; their places follow from
    the seed, and the first row is never one of them. Raises `OcBulkError` for whatever cannot be made, and for
    `bad` in a file that the service cannot read anyway (it reads UTF-8 and commas).
    """
    layout = Layout(encoding, bom, delimiter, newline)
    recipe = recipe_for(connector, object)
    if bad and not layout.as_the_service_reads:
        raise OcBulkError(
            "bad: the service reads UTF-8 and commas only, so the errors of any other file cannot be foretold; "
            f"got encoding {encoding!r} and delimiter {delimiter!r}"
        )
    rows = _clean_rows(n, recipe, locale, seed, layout)
    defects = plan_defects(rows, bad, recipe, dice(seed, "defects")) if bad else []
    content = _rendered(rows, defects, recipe, layout)
    return _described(rows, defects, recipe, content, directory)


def _clean_rows(n: int, recipe: Recipe, locale: str, seed: int | str, layout: Layout) -> list[list[str]]:
    parts = stream(n, recipe, locale, seed, layout)
    next(parts)  # the header
    lines = b"".join(part for _, part in parts).decode(layout.codec)
    return list(csv.reader(io.StringIO(lines, newline=""), delimiter=layout.delimiter))


def _rendered(rows: list[list[str]], defects: Sequence[Defect], recipe: Recipe, layout: Layout) -> bytes:
    """Put the defects into the rows, and the rows into bytes."""
    for defect in defects:
        rows[defect.row - 1][defect.at] = defect.value
    lines = [layout.line(values) for values in rows]
    for defect in defects:
        if defect.kind == "extra_column":
            lines[defect.row - 1] = layout.line([*rows[defect.row - 1], "extra"])
        elif defect.kind == "quoting":
            lines[defect.row - 1] = _unclosed(rows[defect.row - 1], defect, layout)
    # A lone surrogate has bytes of its own, which no reader of UTF-8 takes.
    return layout.encode(layout.head(recipe.names) + "".join(lines), "surrogatepass")


def _unclosed(values: list[str], defect: Defect, layout: Layout) -> str:
    cells = [layout.cell(value) for value in values]
    cells[defect.at] = '"' + defect.value.replace('"', '""')
    return layout.delimiter.join(cells) + layout.newline


def _described(
    rows: list[list[str]], defects: Sequence[Defect], recipe: Recipe, content: bytes, directory: Path | None
) -> ContactsFile:
    records = [dict(zip(recipe.names, values, strict=True)) for values in rows]
    spoiled = {defect.row for defect in defects}
    breaking = next((defect for defect in defects if defect.breaks_the_file), None)
    read = breaking.row - 1 if breaking else len(rows)
    return ContactsFile(
        object=recipe.object,
        columns=recipe.names,
        rows=records,
        good_rows=[record for row, record in enumerate(records[:read], 1) if row not in spoiled],
        bad_rows=[records[row - 1] for row in sorted(spoiled) if row <= read + 1],
        expected_errors=[{"rowNum": d.row, "status": d.status} for d in defects if d.row <= read],
        expected_abort=breaking.abort(len(recipe.names)) if breaking else None,
        bytes=content,
        directory=directory,
    )
