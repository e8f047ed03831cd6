"""The HTTP and WebSocket server around the calls."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from warmline.agent.admission import Admission, AllLinesBusy
from warmline.agent.call import Call, CallOver
from warmline.agent.guard import Guard
from warmline.agent.line import CallerGone, Line
from warmline.agent.page import page_routes
from warmline.agent.wire import FRAME_MS, SAMPLE_RATE_HZ
from warmline.clock import Clock
from warmline.errors import Draining, ProtocolError, WarmlineError
from warmline.events import CallRefused
from warmline.health import Drain, Health, HealthApp, HealthMiddleware
from warmline.session import Emit, Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from warmline.agent.kit import Kit
    from warmline.settings import Settings

__all__ = ["Switchboard", "create_app", "operations_app"]

_log = logging.getLogger(__name__)
_HELLO_TIMEOUT_SEC = 5.0
_CLOSING_SEC = 3.0
_AGENT_FAILED = "the agent failed"
_FAILED, _POLICY_VIOLATION, _BUSY = 1011, 1008, 1013


def create_app(settings: "Settings", switchboard: "Switchboard", health: Health) -> Starlette:
    """The page at `/`, calls at `/ws`, both behind the guard; and in front of it the probes, which name no secret."""
    app = Starlette(routes=[*page_routes(), WebSocketRoute("/ws", switchboard.take_call)])
    app.add_middleware(_GuardMiddleware, guard=switchboard.guard)
    app.add_middleware(HealthMiddleware, health=health)  # the last one added is the first one asked
    return app


def operations_app(health: Health, port: int) -> "ASGIApp":
    """The probes with their detail, for who is on this machine and asks for it by this machine's name."""
    hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
    return _GuardMiddleware(HealthApp(health, operations=True), Guard(origins=frozenset(), hosts=hosts, token=None))


class _GuardMiddleware:
    """Turns away, before anything else sees them, requests for another host or from another site."""

    def __init__(self, app: "ASGIApp", guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] not in ("http", "websocket") or self._admits(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("not from here", 403)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before the upgrade: HTTP 403

    def _admits(self, scope: "Scope") -> bool:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        return self._guard.admits(origin=headers.get(b"origin"), host=headers.get(b"host"))


class Switchboard:
    """Admits callers and runs their calls. `kit` gives what they take from."""

    def __init__(
        self,
        settings: "Settings",
        agent_name: str,
        kit: "Callable[[], Awaitable[Kit]]",
        drain: Drain,
        *,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._settings = settings
        self._agent_name = agent_name
        self._kit = kit
        self.guard: Guard = Guard(
            origins=frozenset(settings.allowed_origins),
            hosts=frozenset(settings.allowed_hosts),
            token=settings.token.get_secret_value() if settings.token else None,
        )
        self._drain = drain
        self._clock = clock
        self._emit = emit
        self._admission = Admission(settings.max_calls)
        self._calls: set[Call] = set()

    async def take_call(self, websocket: WebSocket) -> None:
        """One WebSocket, from its upgrade to its close."""
        await websocket.accept()
        line = Line(websocket, self._clock)
        if not await self._shows_ticket(line):
            return
        try:
            with self._drain.call(), self._admission.line() as active_calls:
                await self._converse(line, active_calls)
        except AllLinesBusy:
            await self._refuse(line, _BUSY, "all lines are busy")
        except Draining as refusal:
            await self._refuse(line, _BUSY, str(refusal))

    async def hang_up(self, *, within_sec: float) -> None:
        """Let every call finish the turn at hand and end; none is waited for longer than `within_sec`."""
        for call in self._calls:
            call.leave(within_sec)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_sec + _CLOSING_SEC):
                await self._drain.empty()

    async def _shows_ticket(self, line: Line) -> bool:
        if self.guard.token is None:
            return True
        try:
            async with asyncio.timeout(_HELLO_TIMEOUT_SEC):
                hello = await line.receive()
        except TimeoutError:
            await self._refuse(line, _POLICY_VIOLATION, "a hello with a ticket has to come first")
        except CallerGone:
            pass
        except ProtocolError as broken:
            await self._refuse(line, broken.close_code, broken.reason)
        else:
            if not isinstance(hello, bytes) and self.guard.accepts_ticket(hello.get("ticket")):
                return True
            await self._refuse(line, _POLICY_VIOLATION, "a hello with the right ticket has to come first")
        return False

    async def _refuse(self, line: Line, code: int, reason: str) -> None:
        self._emit(CallRefused(at_sec=self._clock.now(), reason=reason))
        await line.close(code, reason)

    async def _converse(self, line: Line, active_calls: int) -> None:
        session = Session(self._clock, self._emit, active_calls=active_calls)
        line.post(
            "ready",
            session=session.id,
            agent=self._agent_name,
            sample_rate_hz=SAMPLE_RATE_HZ,
            frame_ms=FRAME_MS,
            warm=self._settings.warm,
        )
        try:
            async with session:
                over = await self._run(line, session)
                session.end_reason = over.reason
        except (WarmlineError, ExceptionGroup):
            _log.exception("call %s failed", session.id)
            over = CallOver(_FAILED, _AGENT_FAILED)
        if over.code is not None:
            await line.close(over.code, over.reason, error=over.error)

    async def _run(self, line: Line, session: Session) -> CallOver:
        try:
            await line.send_now()
            kit = await self._kit()
            kit.model.rewarm()
            session.prefetch(kit.ears, kit.voices)
            idle_timeout_sec = self._settings.idle_timeout_sec
            call = Call(line, session, kit, self._clock, idle_timeout_sec=idle_timeout_sec)
            self._calls.add(call)
            try:
                return await call.run()
            finally:
                self._calls.discard(call)
        except CallerGone:
            return CallOver(None, "gone", error=False)
        except (WarmlineError, ExceptionGroup):
            session.end_reason = _AGENT_FAILED
            raise
