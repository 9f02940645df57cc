"""Whether a mock of the library `responses` stands before a fake: a usual mistake where a test has mocks of its own.

It is seen while the mock is active, and afterwards by the error that a call to the fake's address ended in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .addresses import Addresses

HIDDEN = (
    "a mock of the library responses hides the fake; put the fake into it, ocbulk.install_into(responses.mock), or let"
    " its calls through, responses.add_passthru(ocbulk_server.base_url)"
)


def hidden(addresses: Addresses, error: BaseException | None) -> bool:
    """Whether calls to these addresses end in such a mock now, or did when `error` was raised."""
    adapters = sys.modules.get("requests.adapters")
    if adapters is not None and adapters.HTTPAdapter.send.__module__ == "responses":
        return True
    return any(_was_refused(addresses, each) for each in _chain(error))


def _was_refused(addresses: Addresses, error: BaseException) -> bool:
    url = getattr(getattr(error, "request", None), "url", "")
    return "Connection refused by Responses" in str(error) and addresses.target(str(url)) is not None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
