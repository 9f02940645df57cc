"""The plugin in whole sessions: loaded or not, strict, in parallel, beside others. Each test starts a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "requests",
    "responses",
    "faker",
    "httptools",
    "click",
    "multipart",
    "sqlite3",
    "pytest_ocbulk.emulator",
)
OTHERS = (
    "schemathesis",
    "hypothesispytest",
    "asyncio",
    "anyio",
    "xdist",
    "xdist.looponfail",
    "randomly",
    "faker",
)
"""Other plugins of this environment: what they load is not ours to judge, and takes seconds."""

USES = """
import requests

def push(fake):
    csv = fake.contacts(3)
    with csv.path.open("rb") as file:
        answer = requests.post(fake.base_url + "/bulk/contact", headers=fake.headers, files={"file": file})
    assert answer.json()["id"] == "1234"
    requests.get(fake.base_url + "/bulk/1234/status", headers=fake.headers)
    fake.assert_uploaded("contact", csv.rows, key="C_EmailAddress")

def test_in_process(ocbulk):
    push(ocbulk)

def test_served(ocbulk_server):
    push(ocbulk_server)
"""


def session(
    folder: Path, *options: str, autoload: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own; without `autoload` only with the plugins that are named."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "OCBULK"))}
    if not autoload:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "pytest.ini", *options],
        cwd=folder,
        env={**env, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def passed(done: subprocess.CompletedProcess[str]) -> int:
    found = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(found[1]) if found else 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_installed_and_unused_the_plugin_is_there_and_loads_nothing(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import sys\n"
        "def test_it(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.has_plugin('ocbulk')\n"
        f"    assert [name for name in {HEAVY} if name in sys.modules] == []\n"
    )
    assert passed(session(folder, *(f"-pno:{name}" for name in OTHERS), autoload=True)) == 1


def test_the_plugin_can_be_left_out(folder: Path) -> None:
    (folder / "test_it.py").write_text("def test_it(ocbulk):\n    pass\n")
    done = session(folder, *(f"-pno:{name}" for name in OTHERS), "-p", "no:ocbulk", autoload=True)
    assert "fixture 'ocbulk' not found" in done.stdout


def test_without_autoload_the_plugin_is_named_in_a_conftest(folder: Path) -> None:
    (folder / "conftest.py").write_text(
        "from pytest_ocbulk import OcBulk, reset\npytest_plugins = ['pytest_ocbulk.plugin']\n"
    )
    (folder / "test_it.py").write_text(USES)
    assert passed(session(folder, "-W", "error", "--strict-markers")) == 2


def test_a_strict_suite_passes_in_random_order(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"test_{name}.py").write_text(USES)
    strict = ["-W", "error", "--strict-markers", "--strict-config", "--import-mode=importlib"]
    assert passed(session(folder, "-p", "ocbulk", "-p", "randomly", *strict)) == 4


def test_a_suite_passes_in_parallel(folder: Path) -> None:
    for name in ("one", "two", "three"):
        (folder / f"test_{name}.py").write_text(USES)
    assert passed(session(folder, "-p", "ocbulk", "-p", "xdist", "-n", "4", "-W", "error")) == 6


def test_asyncio_and_anyio_tests_use_the_fixtures(folder: Path) -> None:
    (folder / "test_it.py").write_text(
        "import httpx, pytest\n"
        "async def ask(fake):\n"
        "    async with httpx.AsyncClient(transport=fake.httpx_transport(), headers=fake.headers) as client:\n"
        "        return (await client.get(fake.base_url + '/objects')).json()\n"
        "@pytest.mark.asyncio\n"
        "async def test_asyncio(ocbulk):\n"
        "    assert 'contact' in await ask(ocbulk)\n"
        "@pytest.fixture(params=['asyncio'])\n"
        "def anyio_backend(request):\n"
        "    return request.param\n"
        "@pytest.mark.anyio\n"
        "async def test_anyio(ocbulk, anyio_backend):\n"
        "    assert 'contact' in await ask(ocbulk)\n"
        "@pytest.mark.asyncio\n"
        "async def test_served(ocbulk_server):\n"
        "    async with httpx.AsyncClient(headers=ocbulk_server.headers, trust_env=False, timeout=30) as client:\n"
        "        assert (await client.get(ocbulk_server.base_url + '/objects')).status_code == 200\n"
    )
    scope = "asyncio_default_fixture_loop_scope=function"
    done = session(folder, "-p", "ocbulk", "-p", "asyncio", "-p", "anyio", "-o", scope, "-W", "error")
    assert passed(done) == 3


def test_a_users_own_fake_server_module_is_left_alone(folder: Path) -> None:
    (folder / "fake_server.py").write_text("raise RuntimeError('imported by somebody else')\n")
    (folder / "test_it.py").write_text(USES)
    assert passed(session(folder, "-p", "ocbulk")) == 2


def test_a_typo_in_a_setting_is_one_line_and_no_traceback(folder: Path) -> None:
    (folder / "test_it.py").write_text(USES)
    done = session(folder, "-p", "ocbulk", "--ocbulk-dialect=alive")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == "ERROR: --ocbulk-dialect: unknown dialect 'alive'; did you mean 'live'?"
