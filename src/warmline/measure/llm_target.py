"""Which language model is probed: the one that the openai SDK's own environment variables name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from warmline.errors import ConfigError

__all__ = ["LlmTarget"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmTarget:
    """A server, a key and a model. With `api_version`, `url` is an Azure endpoint and `model` a deployment.

    `ca_file` is the authority that the server's certificate is from, None for the usual ones. The key never shows in a
    repr.
    """

    url: str
    model: str
    api_key: str = field(repr=False)
    api_version: str | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("the server's address: expected a URL that begins with http:// or https://")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ConfigError("a key is not sent over plain http to another machine; use https")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], model: str | None) -> "LlmTarget":
        """AZURE_OPENAI_ENDPOINT and its companions, else OPENAI_BASE_URL and OPENAI_API_KEY.

        Raises:
            ConfigError: something is missing; says what.
        """
        if endpoint := environment.get("AZURE_OPENAI_ENDPOINT"):
            return cls(
                url=endpoint,
                model=model or _needed(environment, "AZURE_OPENAI_DEPLOYMENT", "--model"),
                api_key=_needed(environment, "AZURE_OPENAI_API_KEY"),
                api_version=_needed(environment, "OPENAI_API_VERSION"),
            )
        return cls(
            url=environment.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
            model=model or _needed(environment, "OPENAI_MODEL", "--model"),
            api_key=_needed(environment, "OPENAI_API_KEY", "--emulate"),
        )

    @property
    def where(self) -> str:
        """The server, without what a URL may hide."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_local(self) -> bool:
        """It is on this machine: no proxy leads there."""
        return urlsplit(self.url).hostname in _LOOPBACK


def _needed(environment: Mapping[str, str], name: str, instead: str | None = None) -> str:
    if value := environment.get(name):
        return value
    raise ConfigError(f"{name} is not set" + (f"; set it, or give {instead}" if instead else ""))
