"""How long a request to a language model waits for its connection, with the openai SDK as it comes.

Each state is one in which a call finds its client: see `LlmState`. Times run from the request to the first event of the
streamed answer; what of it went into connecting is told by the trace of the HTTP library.
"""

import asyncio
import contextlib
import ssl
import sys
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from warmline.errors import EngineError
from warmline.measure.llm_target import LlmTarget

__all__ = ["LlmFindings", "LlmRequest", "LlmState", "probe_llm"]

_FEW_TOKENS = 8
_BARGE_IN_SEC = 0.5
_REQUEST_TIMEOUT_SEC = 30.0
# From the trace of httpcore; the name is resolved within the first.
_CONNECT, _TLS = "connection.connect_tcp", "connection.start_tls"


class LlmState(StrEnum):
    """COLD: a new client. CONNECTED: it has listed the models. EXERCISED: it has streamed an answer to its end."""

    COLD = "cold"
    CONNECTED = "connected"
    EXERCISED = "exercised"
    IDLE = "after idle"
    BARGE_IN = "after a barge-in"


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """One request. `connect_ms` (name and TCP) and `tls_ms` are None where a connection was reused."""

    first_event_ms: float
    connect_ms: float | None = None
    tls_ms: float | None = None


@dataclass(frozen=True, slots=True)
class LlmFindings:
    """The requests of each state, in order; `idle_sec` is how long the idle ones waited."""

    idle_sec: float
    requests: dict[LlmState, list[LlmRequest]] = field(default_factory=dict)


async def probe_llm(
    target: LlmTarget,
    *,
    rounds: int = 3,
    idle_sec: float = 6.0,
    on_round: Callable[[int], None] = lambda number: None,
) -> LlmFindings:
    """Send six short requests a round, of 8 tokens each but one, which is broken off after its first; and one before.

    Raises:
        EngineError: the server refused a request or did not answer; says which and why, and quotes nothing.
    """
    import openai

    findings = LlmFindings(idle_sec)
    try:
        async with _Prober(target) as first:
            await first.ask()  # imports, and a wrong key, before anything is timed
        for number in range(rounds):
            await _round(target, findings)
            on_round(number)
    except openai.APIStatusError as error:
        raise EngineError(f"{target.where} refused a request: {_reason(error.status_code)}") from error
    except _no_answer() as error:
        raise EngineError(f"{target.where} does not answer: {type(error).__name__}") from error
    return findings


async def _round(target: LlmTarget, findings: LlmFindings) -> None:
    async def ask(state: LlmState, prober: "_Prober") -> None:
        findings.requests.setdefault(state, []).append(await prober.ask())

    async with _Prober(target) as cold:
        await ask(LlmState.COLD, cold)
    async with _Prober(target) as prober:
        await prober.connect()
        await ask(LlmState.CONNECTED, prober)
        await ask(LlmState.EXERCISED, prober)
        await asyncio.sleep(findings.idle_sec)
        await ask(LlmState.IDLE, prober)
        await prober.barge_in()
        await asyncio.sleep(_BARGE_IN_SEC)  # nobody interrupts by saying nothing
        await ask(LlmState.BARGE_IN, prober)


class _Prober:
    """A client of the SDK as it comes, but for its retries: each failure is told."""

    def __init__(self, target: LlmTarget) -> None:
        import openai

        self._target = target
        self._trace: dict[str, float] = {}
        verify = ssl.create_default_context(cafile=target.ca_file) if target.ca_file else True
        http = openai.DefaultAsyncHttpxClient(
            verify=verify, event_hooks={"request": [self._watch]}, trust_env=not target.is_local
        )
        given: dict[str, Any] = {"api_key": target.api_key, "max_retries": 0, "timeout": _REQUEST_TIMEOUT_SEC}
        if target.api_version:
            self._sdk: openai.AsyncOpenAI = openai.AsyncAzureOpenAI(
                azure_endpoint=target.url, api_version=target.api_version, http_client=http, **given
            )
        else:
            self._sdk = openai.AsyncOpenAI(base_url=target.url, http_client=http, **given)

    async def __aenter__(self) -> "_Prober":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._sdk.close()

    async def connect(self) -> None:
        """Open a connection; costs no token. A server without this list has answered as well."""
        import openai

        with contextlib.suppress(openai.NotFoundError):
            await self._sdk.models.list()

    async def ask(self) -> LlmRequest:
        """A short request, read to its end."""
        self._trace.clear()
        began_sec = time.perf_counter()
        async with contextlib.aclosing(self._events("Say hello.", max_tokens=_FEW_TOKENS)) as events:
            await _first(events)
            first_ms = 1e3 * (time.perf_counter() - began_sec)
            async for _ in events:
                pass
        return LlmRequest(first_ms, self._took_ms(_CONNECT), self._took_ms(_TLS))

    async def barge_in(self) -> None:
        """A long request, broken off after its first event."""
        async with contextlib.aclosing(self._events("Count to two hundred, in words.", max_tokens=None)) as events:
            await _first(events)

    async def _events(self, question: str, max_tokens: int | None) -> AsyncGenerator[Any, None]:
        asked: dict[str, Any] = {"max_completion_tokens": max_tokens} if max_tokens else {}
        stream = await self._sdk.chat.completions.create(
            model=self._target.model, messages=[{"role": "user", "content": question}], stream=True, **asked
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices:
                    yield chunk

    async def _watch(self, request: Any) -> None:
        request.extensions["trace"] = self._traced

    async def _traced(self, name: str, _info: object) -> None:
        self._trace[name] = time.perf_counter()

    def _took_ms(self, step: str) -> float | None:
        began_sec, ended_sec = self._trace.get(f"{step}.started"), self._trace.get(f"{step}.complete")
        return None if began_sec is None or ended_sec is None else 1e3 * (ended_sec - began_sec)


async def _first(events: AsyncGenerator[Any, None]) -> None:
    """Wait for it."""
    async for _ in events:
        return
    raise EngineError("the server answered with an empty stream: no token came")


def _no_answer() -> tuple[type[Exception], ...]:
    """The SDK's errors, and its HTTP library's: while a stream is read, older SDKs let those through."""
    import openai

    modules = [sys.modules.get(name) for name in ("httpx", "httpx2")]
    return (openai.OpenAIError, *(module.HTTPError for module in modules if module is not None))


def _reason(status: int) -> str:
    known = {
        401: "the key is wrong",
        403: "the key may not do this",
        404: "there is no such model or deployment",
        429: "its quota or rate limit is exhausted",
    }
    return f"{known.get(status, 'see its status')} (HTTP {status})"
