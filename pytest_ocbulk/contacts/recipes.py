"""Which columns a contact has, per connector and object, and how Faker makes each of them.

A recipe is data. `made` is text in Faker's own template syntax (`{{first_name}}`), with alternatives for
locales that lack a provider; `ROW` marks the place of the row's number, which is what makes keys and e-mail
addresses unique by construction. What a column must satisfy is not repeated here: it is in the connector's
catalogue, and is read from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ocbulk.emulator.connectors import FieldDefinition, built_in
from pytest_ocbulk.emulator.errors import OcBulkError, nearest

ROW = "\0"
"""Stands in a value where the row's number goes. No provider returns a NUL, no delimiter may be one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column and how its values are made.

    `made` lists templates in order of preference. `empty` is the share of cells left empty; `slips` the
    share of values that lose their opening bracket. Both imitate the sample file of the service's
    walk-through (empty titles, phones and websites; the phone `444) 444-1234`).
    """

    name: str
    made: tuple[str, ...]
    empty: float = 0.0
    slips: float = 0.0

    @property
    def numbered(self) -> bool:
        """Whether each value carries the number of its row."""
        return ROW in self.made[0]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The columns of one object on one connector, in the order of the file."""

    connector: str
    object: str
    columns: tuple[Column, ...]

    def __str__(self) -> str:
        return f"{self.connector} {self.object}"

    @property
    def names(self) -> tuple[str, ...]:
        """The header."""
        return tuple(column.name for column in self.columns)

    @property
    def fields(self) -> tuple[FieldDefinition, ...]:
        """What the connector says of each column: type, length, format, whether required."""
        declared = built_in(self.connector).objects[self.object].fields
        return tuple(declared[name] for name in self.names)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns whose values may not be taken: unique fields and the primary key."""
        primary = built_in(self.connector).objects[self.object].primary_key
        return tuple(each.name for each in self.fields if each.unique or each.name == primary)


# Domains below example.com belong to nobody (RFC 2606): a test that is run against the real service
# must not leave the addresses of strangers in a mailing list.
_EMAIL = "{{user_name}}." + ROW + "@{{domain_word}}.example.com"
_PHONE = ("{{phone_number}}", "{{mobile_number}}")

# Names, order and empty cells of the sample in SAP's walk-through; Eloqua's own column names.
_CONTACT = (
    Column("C_EmailAddress", (_EMAIL,)),
    Column("C_FirstName", ("{{first_name}}",)),
    Column("C_LastName", ("{{last_name}}",)),
    Column("C_Title", ("{{job}}",), empty=0.2),
    Column("C_BusPhone", _PHONE, empty=0.2, slips=0.1),
    Column("C_Company", ("{{company}}",)),
    Column("C_Website1", ("{{url}}",), empty=0.1),
)

# Columns of the table in the service's live tests (churros, elements/sqlserver).
_SQLSERVER_CONTACTS = (
    Column("contact_id", (ROW,)),
    Column("first_name", ("{{first_name}}",)),
    Column("last_name", ("{{last_name}}",)),
    Column("email", (_EMAIL,)),
    Column("phone", _PHONE, empty=0.2, slips=0.1),
    Column("street1", ("{{street_address}}",)),
    Column("street2", ("{{secondary_address}}", "{{building_number}}"), empty=0.6),
    Column("state", ("{{state}}", "{{administrative_unit}}", "{{city}}")),
)

# Columns of the service's live tests (churros, elements/sage200); `reference` is the account code.
_SAGE200_CUSTOMERS = (
    Column("reference", (ROW,)),
    Column("name", ("{{company}}",)),
    Column("website", ("{{url}}",), empty=0.1),
)

# SAP's bulk pages for Sage 200 and SQL Server show the walk-through's upload of `contact` word for word.
RECIPES = {
    (connector, object_name): Recipe(connector, object_name, columns)
    for connector, object_name, columns in (
        ("marketing", "contact", _CONTACT),
        ("sqlserver", "contacts", _SQLSERVER_CONTACTS),
        ("sqlserver", "contact", _CONTACT),
        ("sage200", "customers", _SAGE200_CUSTOMERS),
        ("sage200", "contact", _CONTACT),
    )
}


def recipe_for(connector: str, object_name: str) -> Recipe:
    """The recipe of an object; raises `OcBulkError` with the nearest name when there is none."""
    found = RECIPES.get((connector, object_name))
    if found:
        return found
    objects = [name for known, name in RECIPES if known == connector]
    if not objects:
        hint = nearest(connector, {known for known, _ in RECIPES})
        raise OcBulkError(f"no contacts for connector {connector!r}{hint}")
    raise OcBulkError(f"no contacts for object {object_name!r} of {connector}{nearest(object_name, objects)}")
