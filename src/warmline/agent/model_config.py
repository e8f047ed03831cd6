"""From the settings to the language model: which API, as whom."""

from typing import TYPE_CHECKING

from warmline.engines.openai import OpenAIConfig

if TYPE_CHECKING:
    from warmline.credentials import TokenKeeper
    from warmline.settings import Settings

__all__ = ["model_config", "model_tokens"]


def model_config(settings: "Settings", emulated_url: str | None, tokens: "TokenKeeper | None") -> OpenAIConfig:
    """For the API that was chosen, or for the emulator at `emulated_url`."""
    key = settings.llm_api_key
    return OpenAIConfig(
        model=settings.llm_model,
        base_url=emulated_url or settings.llm_base_url,
        api_key=key.get_secret_value() if key else "",
        azure_api_version=settings.llm_azure_api_version,
        token_provider=tokens.async_provider() if tokens else None,
        token_timeout_sec=settings.llm_token_timeout_sec,
    )


def model_tokens(settings: "Settings") -> "TokenKeeper | None":
    """Azure OpenAI without a key: the tokens of whoever this process is there. Not yet started.

    Raises:
        ConfigError: azure-identity is not installed.
    """
    if settings.llm_azure_api_version is None or settings.llm_api_key is not None:
        return None
    from warmline.credentials import AzureIdentity, TokenKeeper
    from warmline.errors import ConfigError

    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as missing:
        raise ConfigError("Azure OpenAI without a key needs azure-identity: pip install 'warmline[azure]'") from missing
    # A caller's turn that finds no token gives up for that reason, and not because no word of an answer came.
    wait_sec = settings.llm_token_timeout_sec / 2
    return TokenKeeper(AzureIdentity(DefaultAzureCredential), name="token", wait_timeout_sec=wait_sec)
