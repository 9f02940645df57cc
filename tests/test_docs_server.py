"""docs/server.md, the Dockerfile and SECURITY.md say what is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fake_server.access_log import AccessLog
from fake_server.cli import main
from pytest_ocbulk.emulator.messages import Request, Response

from .docs_server import PAGE, renewed, table
from .figures import PAGE as FIGURES
from .figures import write
from .patience import PATIENCE
from .server_process import server_process

ROOT = PAGE.parent.parent
TEXT = PAGE.read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
VARIABLES = set(re.findall(r"\| `(OCBULK_\w+)` \|", table()))


def test_the_options_are_those_of_the_command() -> None:
    assert renewed(TEXT) == TEXT, "run: python -m tests.docs_server"
    assert len(VARIABLES) > 10


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_each_variable_is_read_by_the_command(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value is found or refused; a variable that nothing reads would do neither."""
    for name in list(os.environ):
        if name.startswith("OCBULK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(variable, "1")
    try:
        context = main.make_context("ocbulk-server", [])
    except click.BadParameter as refused:
        read = [refused.param.name if refused.param else ""]
    else:
        sources = ((name, context.get_parameter_source(name)) for name in context.params)
        read = [name for name, source in sources if source == click.core.ParameterSource.ENVIRONMENT]
    assert [f"OCBULK_{str(name).upper()}".removesuffix("S") for name in read] == [variable]


def test_every_variable_that_is_named_exists() -> None:
    for text in (TEXT, DOCKERFILE):
        assert set(re.findall(r"OCBULK_[A-Z_]+", text)) <= VARIABLES


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_pipelines_are_yaml(block: str) -> None:
    assert pytest.importorskip("yaml").safe_load(block)


def test_the_log_line_that_is_shown_has_the_fields_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)
    AccessLog("json").exchanged(Request.of("GET", "/"), Response(200, {}), 0.0)
    assert list(json.loads(shown)) == list(json.loads(capsys.readouterr().err))


# -- the Dockerfile


def health_check() -> list[str]:
    """The command, as Docker reads it: continued lines joined, then JSON."""
    command = DOCKERFILE.replace("\\\n", "").partition("HEALTHCHECK")[2].partition("CMD ")[2].splitlines()[0]
    return [sys.executable, *json.loads(command)[1:]]


def healthy(base_url: str, token: str = "") -> bool:
    port = base_url.split(":")[2].partition("/")[0]
    environment = {**os.environ, "OCBULK_PORT": port} | ({"OCBULK_CONTROL_TOKEN": token} if token else {})
    return subprocess.run(health_check(), env=environment, check=False, timeout=PATIENCE).returncode == 0


def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not() -> None:
    with server_process("--quiet") as server:
        assert healthy(server.base_url)
    assert not healthy(server.base_url)
    with server_process("--quiet", "--control-token", "s3cret") as server:
        assert healthy(server.base_url, "s3cret")
        assert healthy(server.base_url)  # it answers, if only that it wants the token


def test_the_image_has_no_rights_and_needs_pip_only() -> None:
    instructions = DOCKERFILE.replace("\\\n", "").splitlines()
    assert next(line for line in instructions[::-1] if line.startswith("USER ")) == "USER ocbulk"
    fetching = [
        word for word in ("curl", "wget", "apt", "git ", "http://", "https://", "ADD ") if word in DOCKERFILE
    ]
    assert [word for word in fetching if word != "http://"] == []
    assert set(re.findall(r"http://([^:/]*)", DOCKERFILE)) == {"127.0.0.1"}
    copied = {word for line in instructions if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert all((ROOT / each).exists() for each in copied)


# -- SECURITY.md and the figures


def test_every_test_that_is_named_exists() -> None:
    for page in (ROOT / "SECURITY.md", FIGURES):
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"`(tests/[\w/.]*)`", text)
        assert named
        assert [each for each in named if not (ROOT / each).exists()] == []
    text = FIGURES.read_text(encoding="utf-8")
    folder = ROOT / "tests" / "survival"
    assert [each for each in re.findall(r"`(test_\w+\.py)`", text) if not (folder / each).exists()] == []


def test_figures_are_put_in_their_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- figures: x -->\nold\n<!-- end -->\nb\n<!-- figures: y -->\n<!-- end -->\n")
    write("x", {"kills": "3"}, page)
    text = page.read_text()
    assert text.startswith(
        "a\n<!-- figures: x -->\n| figure | value |\n|---|---|\n| kills | 3 |\n| measured | 20"
    )
    assert text.endswith(" cores |\n<!-- end -->\nb\n<!-- figures: y -->\n<!-- end -->\n")
    with pytest.raises(ValueError, match="has no place for the figures of z"):
        write("z", {}, page)
