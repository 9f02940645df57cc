"""All cases, by area. Importing this package registers them in `case.CASES`."""

from . import discovery, authorization, uploads, jobs, results, records, callbacks  # noqa: F401, I001  # the order of telling
