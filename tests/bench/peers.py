"""What people write by hand today, as servers of their own: `python -m tests.bench.peers NAME PORT`."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

STATUS = {
    "id": "1234",
    "instanceId": 425904,
    "status": "COMPLETE",
    "recordsCount": 10,
    "recordsFailedCount": 0,
}


def httpserver(port: int) -> None:
    """pytest-httpserver: three handlers, rows as dictionaries by e-mail."""
    from pytest_httpserver import HTTPServer
    from werkzeug import Request, Response

    rows: dict[str, dict[str, Any]] = {}

    def upload(request: Request) -> Response:
        text = io.TextIOWrapper(request.files["file"].stream, encoding="utf-8", newline="")
        for row in csv.DictReader(text):
            if "@" in row["C_EmailAddress"]:
                rows[row["C_EmailAddress"].lower()] = row
        return Response(json.dumps({"id": "1234", "status": "CREATED"}), content_type="application/json")

    def contacts(request: Request) -> Response:
        wanted = request.args.get("email", "")
        return Response(json.dumps(rows.get(wanted)), content_type="application/json")

    def forget(_: Request) -> Response:
        rows.clear()
        return Response()

    server = HTTPServer(host="127.0.0.1", port=port)
    server.expect_request("/bulk/contact", method="POST").respond_with_handler(upload)
    server.expect_request("/bulk/1234/status").respond_with_json(STATUS)
    server.expect_request("/contact").respond_with_handler(contacts)
    server.expect_request("/forget").respond_with_handler(forget)
    server.start()
    assert server.server_thread is not None
    server.server_thread.join()


def moto(port: int) -> None:
    """moto's server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    assert server._thread is not None
    server._thread.join()


def starlette(port: int) -> None:
    """uvicorn with a Starlette stub."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def status(request: Request) -> JSONResponse:
        return JSONResponse({**STATUS, "id": request.path_params["id"]})

    app = Starlette(routes=[Route("/bulk/{id}/status", status)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", http="httptools")


if __name__ == "__main__":
    {"httpserver": httpserver, "moto": moto, "starlette": starlette}[sys.argv[1]](int(sys.argv[2]))
