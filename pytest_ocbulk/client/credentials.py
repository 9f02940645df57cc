"""The secrets of a connector instance: they go out in one header and show up nowhere else."""

from __future__ import annotations

import requests
from requests.auth import AuthBase

from pytest_ocbulk.emulator.messages import unsendable

from .errors import ConfigurationError


class MaskedText(str):
    """A secret that goes over the wire as it is and shows as stars wherever a repr is printed.

    Tracebacks with arguments, debuggers and logs of whole header dictionaries all go through repr.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'"


class Credentials(AuthBase):
    """The `Authorization` header: `User <secret>, Organization <secret>, Element <token>` (protocol.md 2.1).

    An `auth` of requests and not a header, because requests lets an entry in `.netrc` win over a header. Its repr
    masks the values.
    """

    __slots__ = ("_secrets",)

    def __init__(self, *, element_token: str, user_secret: str, organization_secret: str | None) -> None:
        __tracebackhide__ = True  # pytest prints arguments in tracebacks
        given = {"User": user_secret, "Organization": organization_secret, "Element": element_token}
        self._secrets = {scheme: MaskedText(value.strip()) for scheme, value in given.items() if value}
        _check_secrets(self)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on a request; `requests` calls this last."""
        pairs = (f"{scheme} {value}" for scheme, value in self._secrets.items())
        request.headers["Authorization"] = MaskedText(", ".join(pairs))
        return request

    def __repr__(self) -> str:
        return f"Credentials({', '.join(f'{scheme} ****' for scheme in self._secrets)})"

    def unusable(self) -> str | None:
        """Which secret is missing or cannot stand in a header, None if all are fine."""
        for scheme, name in (
            ("Element", "element_token"),
            ("User", "user_secret"),
            ("Organization", "organization_secret"),
        ):
            value = self._secrets.get(scheme, "")
            if (value or scheme != "Organization") and (complaint := unsendable(value)):
                return f"{name} {complaint}"
        return None

    def redact(self, text: str) -> str:
        """The text without any of the secrets, should the service have repeated one."""
        for value in self._secrets.values():
            text = text.replace(value, "****")
        return text


def _check_secrets(credentials: Credentials) -> None:
    if complaint := credentials.unusable():
        raise ConfigurationError(f"{complaint}; take it from the instance's page in Open Connectors")
