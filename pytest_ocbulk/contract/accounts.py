"""A real account as a target: the address is given, the secrets come from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import requests

from pytest_ocbulk.client.bulk_client import ENVIRONMENT
from pytest_ocbulk.emulator.errors import OcBulkError

from .receiving import Receiver
from .settings import ContractSettings
from .target import Target

SIGNATURE_VARIABLE = "OCBULK_SIGNATURE_KEY"
"""The environment variable with the instance's `event.notification.signature.key`."""

_SECRETS = {"Element": "element_token", "User": "user_secret", "Organization": "organization_secret"}


@contextmanager
def account(
    url: str,
    settings: ContractSettings,
    *,
    readonly: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Target]:
    """An account at a base URL (`https://.../elements/api-v2`) for as long as it is entered.

    With `callback_url` in the settings a receiver listens for callbacks meanwhile. Raises `OcBulkError` naming what
    is missing.
    """
    secrets = {scheme: environment.get(ENVIRONMENT[name], "") for scheme, name in _SECRETS.items()}
    missing = [ENVIRONMENT[_SECRETS[scheme]] for scheme in ("Element", "User") if not secrets[scheme]]
    if missing:
        raise OcBulkError(f"set {' and '.join(missing)}: the secrets of the instance at {url}")
    with ExitStack() as stack:
        mailbox = None
        if settings.callback_url:
            receiver = stack.enter_context(Receiver(settings.callback_listen, settings.callback_url))
            mailbox = receiver.mailbox
        yield Target(
            name=url,
            base_url=url.rstrip("/"),
            secrets=secrets,
            settings=settings,
            session=stack.enter_context(requests.Session()),
            mailbox=mailbox,
            signature_key=environment.get(SIGNATURE_VARIABLE, ""),
            readonly=readonly,
        )
