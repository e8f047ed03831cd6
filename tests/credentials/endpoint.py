"""The endpoints that issue tokens, on a real socket: key exchange, instance metadata, App Service, Entra."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "99999999-8888-7777-6666-555555555555"
KEY = "subscription-key-Zq7"
CLIENT_SECRET = "client-secret-Zq7~x/y+z"
ASSERTION = "eyJhbGciOiJub25lIn0.federated-assertion-Zq7.x"
APP_SERVICE_HEADER = "app-service-header-Zq7"
TOKEN_MARK = "issued-token-Zq7"
SECRETS = (KEY, CLIENT_SECRET, ASSERTION, APP_SERVICE_HEADER, TOKEN_MARK)


class TokenEndpoint:
    """What it is asked and how it answers. `fault` is None, an HTTP status, "hang", "garbage", "page", "message",
    "empty", "redirect", "echo" (a 401 that quotes all that it was sent) or "echo 503"."""

    def __init__(self) -> None:
        self.fault: int | str | None = None
        self.lifetime_sec = 3600
        self.skew_sec = 0  # how far its clock, by which App Service states ends, is ahead
        self.refresh_in_sec: int | None = None
        self.retry_after: str | None = None
        self.asked: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self.ends: dict[str, float] = {}
        self.carried: list[str] = []
        self.url = ""
        self.ca_file = ""
        self.let_go = threading.Event()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def next_token(self) -> str:
        value = f"{TOKEN_MARK}-{next(self._numbers)}"
        self.ends[value] = time.time() + self.lifetime_sec
        return value

    def accepts(self, value: str) -> bool:
        """What the service that the tokens are for says now."""
        return time.time() < self.ends.get(value, 0.0)

    @contextlib.contextmanager
    def counted(self, path: str) -> Iterator[None]:
        with self._lock:
            self.asked.append(path)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            with self._lock:
                self.in_flight -= 1


class Handler(BaseHTTPRequestHandler):
    """One request."""

    endpoint: TokenEndpoint
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one write, not one a header

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.handle_one(b"")

    def do_POST(self) -> None:
        self.handle_one(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def handle_one(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        if path.endswith("openid-configuration"):
            self.answer(200, self.discovery())
            return
        if path.startswith("/openai/"):
            self.complete()
            return
        with self.endpoint.counted(path):
            if not self.failed(body):
                self.issue(path, parse_qs(body.decode()))

    def failed(self, body: bytes) -> bool:
        fault = self.endpoint.fault
        match fault:
            case None:
                return False
            case "hang":
                self.endpoint.let_go.wait(30)
                self.close_connection = True
            case "garbage":
                self.answer(200, b"<html>\x00 not a token \xff</html>")
            case "page":
                self.answer(200, b"<html></html>")
            case "message":
                self.answer(200, b'{"error":"Unauthorized"}')
            case "empty":
                self.answer(200, b"")
            case "redirect":
                self.answer(307, b"", {"Location": f"{self.endpoint.url}/elsewhere"})
            case "echo" | "echo 503":
                quoted = f"refused: {body.decode()} {dict(self.headers)}"
                code, text = ("invalid_client", "AADSTS7000215: ") if fault == "echo" else ("server_error", "")
                error = {"error": code, "error_description": text + quoted, "message": quoted}
                self.answer(401 if fault == "echo" else 503, error)
            case int():
                headers = {"Retry-After": self.endpoint.retry_after} if self.endpoint.retry_after else {}
                self.answer(fault, {"error": "fault", "error_description": "a fault"}, headers)
        return True

    def issue(self, path: str, form: dict[str, list[str]]) -> None:
        if path == "/sts/v1.0/issueToken":
            if self.headers.get("Ocp-Apim-Subscription-Key") != KEY:
                self.answer(401, {"error": {"code": "401", "message": "wrong key"}})
            else:
                self.answer(200, self.endpoint.next_token().encode())
        elif path == "/msi/token":
            known = self.headers.get("X-IDENTITY-HEADER") == APP_SERVICE_HEADER
            ends = str(int(time.time()) + self.endpoint.lifetime_sec + self.endpoint.skew_sec)
            self.answer(200, self.token() | {"expires_on": ends}) if known else self.answer(401, {"message": "who?"})
        elif path == "/metadata/identity/oauth2/token":
            ends = str(int(time.time()) + self.endpoint.lifetime_sec)
            expires = {"expires_in": str(self.endpoint.lifetime_sec), "expires_on": ends}
            self.answer(200, self.token() | expires)
        elif path == f"/{TENANT}/oauth2/v2.0/token":
            good = form.get("client_secret") == [CLIENT_SECRET] or form.get("client_assertion") == [ASSERTION]
            refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            self.answer(200, self.token() | {"expires_in": self.endpoint.lifetime_sec}) if good else self.answer(
                401, refusal
            )
        else:
            self.answer(404, {"error": "not_found"})

    def complete(self) -> None:
        """Azure OpenAI, for who carries a token that is valid now."""
        self.endpoint.carried.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if not self.endpoint.accepts(self.endpoint.carried[-1]):
            self.answer(401, {"error": {"code": "401", "message": "Access denied"}})
            return
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}
        self.answer(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    def token(self) -> dict[str, Any]:
        refresh_in = self.endpoint.refresh_in_sec
        resource = parse_qs(urlsplit(self.path).query).get("resource", [""])[0]
        base = {"access_token": self.endpoint.next_token(), "token_type": "Bearer", "resource": resource}
        return base | ({"refresh_in": refresh_in} if refresh_in else {})

    def discovery(self) -> dict[str, Any]:
        base = f"{self.endpoint.url}/{TENANT}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "issuer": f"{base}/v2.0",
        }

    def answer(self, status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(body, bytes) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)


@contextlib.contextmanager
def serving(ssl_context: ssl.SSLContext | None = None) -> Iterator[TokenEndpoint]:
    """An endpoint on a port of its own; with TLS when there is a context."""
    endpoint = TokenEndpoint()
    handler = type("BoundHandler", (Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if ssl_context is not None:
        server.socket = ssl_context.wrap_socket(server.socket, server_side=True)
    endpoint.url = f"{'https' if ssl_context else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
