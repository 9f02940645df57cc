"""A session of `requests` that looks at its environment once."""

from __future__ import annotations

from typing import Any

import requests


class SessionOfOneHost(requests.Session):
    """Reads proxies and certificates from the environment at its first call, for all calls.

    `requests` reads all variables again at each call, since it may go elsewhere: measured, a sixth of a status call.
    """

    _environment: dict[str, Any] | None = None

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:  # what the types of requests have for it is not there when it runs
        """What was found at the first call, and this call's own `stream`."""
        if self._environment is None:
            found = super().merge_environment_settings(url, proxies, stream, verify, cert)
            self._environment = dict(found)
        return {**self._environment, "stream": bool(stream)}
