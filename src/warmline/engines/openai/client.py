"""The SDK's client, over connections that stand ready."""

from contextlib import suppress
from importlib import import_module

import openai

# They would be imported with the first request, on the loop.
import openai.resources.chat.chat
import openai.resources.chat.completions.completions
import openai.resources.models

from warmline.connections.http import WarmSettings, warm
from warmline.engines.openai.config import OpenAIConfig
from warmline.errors import ConfigError

__all__ = ["make_client"]

with suppress(ModuleNotFoundError):  # likewise; no public name brings it, so that it may be called otherwise one day
    import_module("anyio._backends._asyncio")

# Warm-ups and the like. A turn has its own, shorter limit.
_TIMEOUT_SEC = 20.0


def make_client(config: OpenAIConfig) -> openai.AsyncOpenAI:
    """A client whose connections open with its first use. It never repeats a request: the caller knows how long it may.

    Raises:
        ConfigError: Azure without an endpoint or a deployment, or with neither key nor token.
    """
    client = _azure(config) if config.azure_api_version else _openai(config)
    return warm(client, settings=WarmSettings(floor=config.spare_connections))


def _openai(config: OpenAIConfig) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key=config.api_key or "none", base_url=config.base_url, timeout=_TIMEOUT_SEC, max_retries=0
    )


def _azure(config: OpenAIConfig) -> openai.AsyncOpenAI:
    if config.base_url is None or config.model is None:
        raise ConfigError("Azure OpenAI needs the endpoint of its resource and the name of a deployment")
    if not config.api_key and config.token_provider is None:
        raise ConfigError("Azure OpenAI needs a key or what provides tokens")
    # The SDK takes None for "look into the environment", where another key may be.
    credential = {"api_key": config.api_key} if config.api_key else {"azure_ad_token_provider": config.token_provider}
    return openai.AsyncAzureOpenAI(
        azure_endpoint=config.base_url,
        api_version=config.azure_api_version,
        timeout=_TIMEOUT_SEC,
        max_retries=0,
        **credential,
    )
