"""Warm-ups through the OpenAI SDK itself: its URLs (Azure's too), its headers, its fresh credentials."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from warmline.connections.http.azure import as_azure
from warmline.connections.http.dialect import dialect_of
from warmline.connections.http.loop_thread import in_daemon_thread
from warmline.connections.http.principal import principal_of
from warmline.connections.http.rehearsal import is_rehearsed, rehearse
from warmline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from warmline.connections.spent import Spent

__all__ = ["CompletionWarmUp", "ConnectWarmUp", "ModelsWarmUp", "UrlWarmUp"]


@dataclass(frozen=True, slots=True)
class ModelsWarmUp:
    """`models.list()`: free, no token, and the key is checked. The default."""

    subject: ClassVar[str] = "OpenAI"
    any_answer: ClassVar[bool] = False
    client: Any
    base_url: str | None = None
    timeout_sec: float = 10.0

    @property
    def shared_as(self) -> Hashable:
        """See `WarmUp`."""
        return ("models", self.base_url or str(self.client.base_url), principal_of(self.client))

    async def prove(self, spent: Spent) -> None:
        """List the models; the body is read, not parsed. The code of a completion is rehearsed beside."""
        await _rehearse(self.client)
        await self.touch(spent)

    async def touch(self, spent: Spent) -> None:
        """As `prove`."""
        once = _once(self.client, self.base_url, self.timeout_sec)
        await _call(self.client, once.models.with_raw_response.list)
        _know_platform(self.client, once)


@dataclass(frozen=True, slots=True)
class UrlWarmUp:
    """A request of your own choice, `HEAD` unless you say otherwise, through a plain httpx client."""

    any_answer: ClassVar[bool] = True
    client: Any
    url: str
    method: str = "HEAD"
    timeout_sec: float = 10.0

    @property
    def shared_as(self) -> Hashable:
        """See `WarmUp`."""
        return ("url", self.method, self.url)

    async def prove(self, spent: Spent) -> None:
        """Ask; any answer will do."""
        await self.touch(spent)

    async def touch(self, spent: Spent) -> None:
        """As `prove`."""
        ask = functools.partial(self.client.request, self.method, self.url, timeout=self.timeout_sec)
        await _call(self.client, ask)


@dataclass(frozen=True, slots=True)
class ConnectWarmUp:
    """A bare `HEAD` to the SDK's base URL, without credentials: nothing but the connection is proven."""

    subject: ClassVar[str] = "OpenAI"
    any_answer: ClassVar[bool] = True
    client: Any
    base_url: str | None = None
    timeout_sec: float = 10.0

    @property
    def shared_as(self) -> Hashable:
        """See `WarmUp`."""
        return ("connect", self.base_url or str(self.client.base_url))

    async def prove(self, spent: Spent) -> None:
        """Ask; any answer will do."""
        await self.touch(spent)

    async def touch(self, spent: Spent) -> None:
        """As `prove`."""
        http, url = self.client._client, self.base_url or str(self.client.base_url)
        await _call(http, functools.partial(http.request, "HEAD", url, timeout=self.timeout_sec))


@dataclass(frozen=True, slots=True)
class CompletionWarmUp:
    """One token of a real completion. It costs tokens, so it is never the default.

    With the *real* system prompt and tools it grows the connection's congestion window to the size of a real request,
    and primes the provider's prompt cache (from 1024 tokens on). Touches in between list the models, except that the
    completion is repeated once `reprime_after_sec` have passed, before the provider forgets the prompt.

    Args:
        client: the SDK's.
        request: what `chat.completions.create` takes: at least `model` and `messages`.
        base_url: another place than the client's own.

    Raises:
        ConfigError: `model` or `messages` is missing.
    """

    subject: ClassVar[str] = "OpenAI"
    generates: ClassVar[bool] = True
    any_answer: ClassVar[bool] = False
    client: Any
    request: Mapping[str, Any]
    base_url: str | None = None
    reprime_after_sec: float = 240.0
    timeout_sec: float = 60.0
    _primed_at: list[float] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        missing = [name for name in ("model", "messages") if name not in self.request]
        if missing:
            raise ConfigError(f"a completion to warm up with needs {' and '.join(missing)}")

    @property
    def shared_as(self) -> Hashable:
        """See `WarmUp`."""
        at = self.base_url or str(self.client.base_url)
        return ("completion", at, principal_of(self.client), repr(dict(self.request)), self.reprime_after_sec)

    async def prove(self, spent: Spent) -> None:
        """One token."""
        self._primed_at[:] = [asyncio.get_running_loop().time()]
        once = _once(self.client, self.base_url, self.timeout_sec)
        create = functools.partial(once.chat.completions.create, **one_token(self.request))
        count(await _call(self.client, create), spent)
        _know_platform(self.client, once)

    async def touch(self, spent: Spent) -> None:
        """List the models, or prime again when it is time."""
        now = asyncio.get_running_loop().time()
        if not self._primed_at or now - self._primed_at[0] >= self.reprime_after_sec:
            await self.prove(spent)
        else:
            await ModelsWarmUp(self.client, self.base_url, self.timeout_sec).touch(spent)


def _once(client: Any, base_url: str | None, timeout_sec: float) -> Any:
    """The client as it is now, credentials included, for one attempt."""
    elsewhere = {} if base_url is None else {"base_url": base_url}
    once = as_azure(client.with_options(max_retries=0, timeout=timeout_sec, **elsewhere), client, base_url)
    _know_platform(once, client)
    return once


def _know_platform(client: Any, other: Any) -> None:
    """The SDK asks a thread for the platform's name in each request until one was told, and its copies forget it.

    In a burst that comes first, that is a thread for every request, which waits for the GIL that the others hold.
    """
    known = getattr(other, "_platform", None)
    if known is not None and getattr(client, "_platform", known) is None:
        client._platform = known


async def _rehearse(client: Any) -> None:
    """What is slow about the first completion of this process, once, aside."""
    dialect, synchronous = dialect_of(client._client), not hasattr(client, "__aenter__")
    if dialect is not None and not is_rehearsed(dialect, synchronous=synchronous):
        await in_daemon_thread(lambda: rehearse(dialect, synchronous=synchronous))
    if "chat" not in vars(client):
        await in_daemon_thread(lambda: client.chat.completions)


async def _call(client: Any, ask: Callable[[], Any]) -> Any:
    """`ask()` of an async client, awaited; of a synchronous one, in a thread."""
    if hasattr(client, "__aenter__"):
        return await ask()
    return await in_daemon_thread(ask)


REASONING_FAMILIES: Sequence[str] = ("o1", "o3", "o4", "gpt-5")


def one_token(request: Mapping[str, Any]) -> dict[str, Any]:
    """`request`, cut to the least output that its model family allows, not streamed.

    Reasoning families take `max_completion_tokens`, which reasoning counts against, and no `temperature`; the others
    take `max_tokens`, which OpenAI calls deprecated and compatible servers often know alone.
    """
    asked = {name: value for name, value in request.items() if name not in _REPLACED}
    if is_reasoning(str(request["model"])):
        return {**asked, "max_completion_tokens": 16}
    return {**asked, "max_tokens": 1, "temperature": 0}


_REPLACED = {"stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "n"}


def is_reasoning(model: str) -> bool:
    """By the model's name, with or without a vendor in front."""
    name = model.rsplit("/", 1)[-1].lower()
    return any(name == family or name.startswith((f"{family}-", f"{family}.")) for family in REASONING_FAMILIES)


def count(completion: Any, spent: Spent) -> None:
    """Add what the provider says that it will bill."""
    usage = getattr(completion, "usage", None)
    if usage is None:
        return
    spent.prompt_tokens += usage.prompt_tokens
    spent.completion_tokens += usage.completion_tokens
    details = getattr(usage, "prompt_tokens_details", None)
    spent.cached_tokens += getattr(details, "cached_tokens", None) or 0
