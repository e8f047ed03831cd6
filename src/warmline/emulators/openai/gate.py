"""Who may pass: API keys, as OpenAI and as Azure check them, and the refusals that are armed as faults."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmline.emulators.openai.api_error import ApiError, refusal
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.faults import Fault

__all__ = ["Gate"]


class Gate:
    """ASGI middleware that refuses, or counts the answer and passes on."""

    def __init__(self, app: ASGIApp, emulation: Emulation) -> None:
        self._app = app
        self._emulation = emulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it with an error once its body has been read."""

        async def counted(message: Message) -> None:
            if message["type"].endswith("response.start"):
                self._emulation.traffic.answered(message["status"])
            await send(message)

        error = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if error is None:
            return await self._app(scope, receive, counted)
        await _read_to_the_end(scope, receive)
        await refusal(error)(scope, receive, counted)

    def _refusal(self, scope: Scope) -> ApiError | None:
        # What is free is answered without a quota as well.
        paid = ("quota",) if scope.get("method") == "POST" else ()
        for name in (*paid, "unauthorized", "rate-limit", "server-error"):
            if (fault := self._emulation.faults.take(name)) is not None:
                return _as_error(fault)
        headers, keys = Headers(scope=scope), self._emulation.keys
        if keys is None or headers.get("api-key") in keys:
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return None if scheme.lower() == "bearer" and token in keys else _wrong_key()


def _as_error(fault: Fault) -> ApiError:
    if fault.name == "unauthorized":
        return _wrong_key()
    if fault.name == "server-error":
        return ApiError(500, "The server had an error while processing your request.", kind="server_error")
    if fault.name == "quota":
        # https://platform.openai.com/docs/guides/error-codes
        says = "You exceeded your current quota, please check your plan and billing details."
        return ApiError(429, says, kind="insufficient_quota", code="insufficient_quota")
    return ApiError(
        429, "Rate limit reached for requests.", kind="requests", code="rate_limit_exceeded",
        headers={"retry-after": f"{fault.value:g}"},
    )  # fmt: skip


def _wrong_key() -> ApiError:
    # OpenAI quotes a part of the key; nothing of it is repeated here.
    return ApiError(401, "Incorrect API key provided.", code="invalid_api_key")


async def _read_to_the_end(scope: Scope, receive: Receive) -> None:
    """A server that answers before it has read the request may not keep the connection; the real one keeps it."""
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        return
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
