"""What the plugin adds for the contract: two options and a marker. It imports nothing: every session pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARK = "ocbulk_contract"
MARKER = (
    "ocbulk_contract: run this test, which uses ocbulk_client, at the service of --ocbulk-target as well as at the"
    " fake (pytest-ocbulk)"
)


def add_options(group: pytest.OptionGroup) -> None:
    """Add `--ocbulk-target` and `--ocbulk-readonly`."""
    group.addoption(
        "--ocbulk-target",
        metavar="URL",
        default=None,
        help="run the contract, and tests marked ocbulk_contract, at a real service too:"
        " its base URL up to /elements/api-v2; secrets come from OPEN_CONNECTORS_...",
    )
    group.addoption(
        "--ocbulk-readonly",
        action="store_true",
        default=False,
        help="with --ocbulk-target: only what changes nothing there, contract cases that read and GET",
    )


def configure(config: pytest.Config) -> None:
    """Register the marker; with `--ocbulk-target` also what runs marked tests there."""
    config.addinivalue_line("markers", MARKER)
    target = config.getoption("ocbulk_target", None)
    if target is not None:
        _check(target)
        from .marked_tests import MarkedTests

        config.pluginmanager.register(MarkedTests(config), "ocbulk-contract")


def _check(target: str) -> None:
    """Refuse what is no URL, such as the nothing that an unset variable leaves: it would mean no target at all."""
    from pytest_ocbulk.addresses import base_url
    from pytest_ocbulk.emulator.errors import OcBulkError

    try:
        base_url(target)
    except OcBulkError as error:
        import pytest

        hint = "" if target else "; if it comes from a variable, that is not set"
        raise pytest.UsageError(f"--ocbulk-target: {error}{hint}") from None


def is_contract_test(item: pytest.Item) -> bool:
    """Whether a test carries the mark; fails the test for a mark that wants to say more than that."""
    mark = item.get_closest_marker(MARK)
    if mark is None:
        return False
    if mark.args or mark.kwargs:
        import pytest

        given = [*map(repr, mark.args), *(f"{name}={value!r}" for name, value in mark.kwargs.items())]
        pytest.fail(
            f"@pytest.mark.{MARK} on {item.nodeid}: takes no arguments, got {', '.join(given)}; "
            "that nothing may be changed at the service is said by the option --ocbulk-readonly",
            pytrace=False,
        )
    return True
