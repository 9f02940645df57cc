"""Contacts for a test or for a load: Faker's people as CSV, seeded, ten of them or ten million.

Modules: recipes (columns as data), pools (what Faker draws), layout (how a file is written down),
blocks (rows by the block), writing (a file as a stream), defects (rows that are wrong on purpose),
files (a small file in hand, with the errors it will cause). Faker is imported when values are drawn.
"""

from .defects import BAD_KINDS
from .files import ContactsFile, contacts
from .writing import write_contacts

__all__ = ["BAD_KINDS", "ContactsFile", "contacts", "write_contacts"]
