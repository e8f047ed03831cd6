"""The control path: counters and faults of a running emulator, on a loopback port of its own, over plain HTTP.

Only loopback names are accepted as `Host`, so that no page of a browser reaches it by rebinding a name, and only
methods that a browser does not send across origins change anything.
"""

import json
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.faults import Fault
from warmline.emulators.openai.request_body import read_body

__all__ = ["create_control"]


def create_control(emulation: Emulation) -> Starlette:
    """The application behind the control port."""
    control = _Control(emulation)
    return Starlette(
        routes=[
            Route("/counters", control.counters, methods=["GET", "DELETE"]),
            Route("/faults", control.faults, methods=["GET"]),
            Route("/faults/{name}", control.fault, methods=["PUT", "DELETE"]),
            Route("/idle-close", control.idle_close, methods=["PUT"]),
            Route("/keys", control.keys, methods=["PUT"]),
            Route("/models", control.models, methods=["PUT"]),
            Route("/deployments", control.deployments, methods=["PUT"]),
            Route("/idle-connections", control.idle_connections, methods=["DELETE"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={ValueError: _bad_request},
    )


class _Control:
    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def counters(self, request: Request) -> Response:
        """What came in since the start, or since it was deleted."""
        if request.method == "DELETE":
            self._emulation.traffic.forget()
        return JSONResponse(self._emulation.traffic.as_object())

    async def faults(self, _request: Request) -> Response:
        """What is armed."""
        return self._armed()

    async def fault(self, request: Request) -> Response:
        """Arm one, `{"value": ..., "times": ...}`, or disarm it."""
        name, faults = request.path_params["name"], self._emulation.faults
        if request.method == "DELETE":
            faults.disarm(name)
        else:
            told = await self._told(request)
            times = _number(told, "times")
            faults.arm(Fault.make(name, _number(told, "value"), None if times is None else int(times)))
        return self._armed()

    async def idle_close(self, request: Request) -> Response:
        """`{"sec": ...}`: how long a connection may idle, from its next answer on."""
        seconds = _number(await self._told(request), "sec")
        if seconds is None or not seconds > 0:
            raise ValueError("sec must be above 0")
        self._emulation.faults.idle_close_sec = seconds
        return self._armed()

    async def keys(self, request: Request) -> Response:
        """`{"accepted": [...]}`, or null for any."""
        self._emulation.keys = _names(await self._told(request), "accepted")
        return JSONResponse({})

    async def models(self, request: Request) -> Response:
        """`{"served": [...]}`, or null for any name."""
        self._emulation.models = _names(await self._told(request), "served")
        return JSONResponse({})

    async def deployments(self, request: Request) -> Response:
        """`{"served": [...]}`, or null for any name."""
        self._emulation.deployments = _names(await self._told(request), "served")
        return JSONResponse({})

    async def idle_connections(self, _request: Request) -> Response:
        """Close them now."""
        return JSONResponse({"closed": self._emulation.traffic.close_idle()})

    def _armed(self) -> Response:
        faults = self._emulation.faults
        return JSONResponse({"idle_close_sec": faults.idle_close_sec, "armed": faults.as_object()})

    async def _told(self, request: Request) -> Mapping[str, object]:
        try:
            told = json.loads(await read_body(request, self._emulation.max_body_bytes) or b"{}")
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(told, dict):
            raise ValueError("an object is expected")
        return told


def _number(told: Mapping[str, object], name: str) -> float | None:
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number")
    return value


def _names(told: Mapping[str, object], field: str) -> frozenset[str] | None:
    names = told.get(field)
    if names is None:
        return None
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError(f"{field} must be null or a list of strings")
    return frozenset(names)


async def _bad_request(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)
