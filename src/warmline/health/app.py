"""The probes over HTTP, as plain ASGI: an application to mount or to serve by itself, and a middleware."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmline.health.health import Health
    from warmline.health.readiness import Verdict

__all__ = ["HealthApp", "HealthMiddleware"]

# ASGI 3.0 (https://asgi.readthedocs.io/en/latest/specs/main.html); its types are plain dictionaries.
_Message = MutableMapping[str, Any]
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]
_Answer = tuple[int, dict[str, Any]]


class HealthApp:
    """`/livez`, `/readyz`, `/startupz`; with `operations`, `/warmz` too, whose detail is not for everybody.

    200 means yes, 503 no; the body says why, by names and the lines of closed gates. `/livez` says
    yes as long as anything is said.
    """

    def __init__(self, health: Health, *, operations: bool = False) -> None:
        self._health = health
        self._answers: dict[str, Callable[[], _Answer]] = {
            "/livez": lambda: (200, {"status": "live"}),
            "/readyz": self._ready,
            "/startupz": self._started,
        }
        if operations:
            self._answers["/warmz"] = lambda: (200, health.detail())

    def answers(self, scope: _Scope) -> bool:
        """Whether this request is for one of the probes."""
        return scope["type"] == "http" and _path(scope) in self._answers

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _respond(scope, send, *self._answer(scope))

    def _answer(self, scope: _Scope) -> _Answer:
        if not self.answers(scope):
            return 404, {"status": "not found"}
        if scope["method"] not in ("GET", "HEAD"):
            return 405, {"status": "method not allowed"}
        return self._answers[_path(scope)]()

    def _ready(self) -> _Answer:
        verdict = self._health.probe()
        return 200 if verdict.ready else 503, _body(verdict)

    def _started(self) -> _Answer:
        verdict = self._health.probe()
        return 200 if verdict.started else 503, _body(verdict)


class HealthMiddleware:
    """Answers probes at the paths of an application's root, before it sees them; all else is the application's."""

    def __init__(self, app: _App, health: Health) -> None:
        self._app = app
        self._probes = HealthApp(health)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        await (self._probes if self._probes.answers(scope) else self._app)(scope, receive, send)


def _path(scope: _Scope) -> str:
    """Below where the application is mounted."""
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))


def _body(verdict: Verdict) -> dict[str, Any]:
    return {"status": verdict.phase.value, "missing": verdict.missing, "degraded": verdict.degraded}


async def _respond(scope: _Scope, send: _Send, status: int, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode() + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *([(b"allow", b"GET, HEAD")] if status == 405 else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _live(receive: _Receive, send: _Send) -> None:
    """It needs no start and no end."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
