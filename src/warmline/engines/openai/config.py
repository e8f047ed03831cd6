"""Where the model is, and how long it may take."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

__all__ = ["OpenAIConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIConfig:
    """A server, a model and a key. Neither the key nor what provides tokens shows in a repr.

    Attributes:
        base_url: None is OpenAI's own. With `azure_api_version` it is the endpoint of an Azure OpenAI resource.
        model: None takes the first that the server offers. At Azure it is the deployment, and must be given.
        api_key: sent as it is; empty for servers that want none.
        azure_api_version: makes the client Azure's.
        token_provider: at Azure, in place of a key: gives the token of each request (`TokenKeeper.async_provider()`).
        token_timeout_sec: longest wait for the first token, and from each to the next.
        spare_connections: how many connections stand ready, beside those in use.
    """

    model: str | None = None
    base_url: str | None = None
    api_key: str = field(default="", repr=False)
    azure_api_version: str | None = None
    token_provider: Callable[[], Awaitable[str]] | None = field(default=None, repr=False)
    token_timeout_sec: float = 8.0
    spare_connections: int = 2
