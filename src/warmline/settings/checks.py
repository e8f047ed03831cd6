"""What a single setting must satisfy, given those declared before it. A `ValueError` says what was expected."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo

from warmline.engines.espeak import EspeakConfig
from warmline.errors import ConfigError
from warmline.settings.addresses import (
    is_loopback,
    own_hosts,
    own_origins,
    parse_allowed_host,
    parse_base_url,
    parse_origin,
)

__all__ = [
    "EMBEDDED",
    "add_own_hosts",
    "add_own_origins",
    "check_azure",
    "check_base_url",
    "check_ear_model",
    "check_model",
    "check_rate",
    "check_token",
    "check_voice",
    "check_voice_model",
    "lower",
    "split_commas",
]

_T = TypeVar("_T")
_OPENAI_HOST = "api.openai.com"
EMBEDDED = "embedded"
_MIN_TOKEN_CHARS = 16
_TOKEN = re.compile(r"[\x21-\x7e]+")


def split_commas(value: object) -> object:
    """Lists come as `a,b` from the environment."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def lower(value: object) -> object:
    """Choices are taken in any case."""
    return value.lower() if isinstance(value, str) else value


def check_token(token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Beyond loopback there is one, and no token is guessable."""
    host = info.data.get("host", "localhost")
    if token is None and not is_loopback(host):
        raise ValueError(
            f"host {host} can be reached from other machines, so a token is required: "
            "set WARMLINE_TOKEN or pass --token-file FILE"
        )
    if token is not None:
        text = token.get_secret_value()
        if len(text) < _MIN_TOKEN_CHARS or not _TOKEN.fullmatch(text):
            raise ValueError(f"should be at least {_MIN_TOKEN_CHARS} visible ASCII characters without spaces")
    return token


def add_own_origins(origins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """This server's own page may always call."""
    return _own_and(tuple(parse_origin(origin) for origin in origins), own_origins, info)


def add_own_hosts(hosts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """This server always answers under its own address."""
    return _own_and(tuple(parse_allowed_host(host) for host in hosts), own_hosts, info)


def check_base_url(url: str | None, info: ValidationInfo) -> str | None:
    """A key leaves this machine encrypted or not at all."""
    return None if url is None else parse_base_url(url, has_key=info.data.get("llm_api_key") is not None)


def check_model(model: str | None, info: ValidationInfo) -> str | None:
    """OpenAI itself offers hundreds of models and must be told which; any other API is asked for its first."""
    url = info.data.get("llm_base_url")
    if url is not None and model is None and urlsplit(url).hostname == _OPENAI_HOST:
        raise ValueError(
            f"the API at {url} must be asked for a model: pass --llm-model NAME or set WARMLINE_LLM_MODEL "
            f"(or stay with the built-in emulator: --llm-base-url {EMBEDDED})"
        )
    return model


def check_azure(version: str | None, info: ValidationInfo) -> str | None:
    """A version is Azure's, and there nothing has a default; an identity's token is as secret as a key."""
    if version is None:
        return None
    url, model = info.data.get("llm_base_url"), info.data.get("llm_model")
    if "llm_base_url" in info.data and "llm_model" in info.data and (url is None or model is None):
        raise ValueError("needs llm_base_url (AZURE_OPENAI_ENDPOINT) and llm_model (AZURE_OPENAI_DEPLOYMENT)")
    if url is not None:
        parse_base_url(url, has_key=True)
    return version


def check_ear_model(path: Path | None, info: ValidationInfo) -> Path | None:
    """Whisper's weights come from there and from nowhere else; what reads them is installed, and not yet imported."""
    if _has_model(path, info, engine="ear", of="whisper"):
        _as_value_error(lambda: _look_at_whisper(path))
    return path


def check_voice_model(path: Path | None, info: ValidationInfo) -> Path | None:
    """Kokoro's weights come from there and from nowhere else; what reads them is installed, and not yet imported."""
    if _has_model(path, info, engine="voice", of="kokoro"):
        _as_value_error(lambda: _look_at_kokoro(path))
    return path


def _has_model(path: Path | None, info: ValidationInfo, *, engine: str, of: str) -> TypeGuard[Path]:
    chosen = info.data.get(engine)
    if chosen == of and path is None:
        raise ValueError(f"{engine} {of} needs it: a path on this machine, since nothing is downloaded")
    if chosen not in (of, None) and path is not None:
        raise ValueError(f"only {engine} {of} has one, and {engine} is {chosen}")
    return chosen == of


def _look_at_whisper(path: Path) -> None:
    from warmline.engines.whisper import WhisperConfig, require_faster_whisper

    require_faster_whisper(path)
    WhisperConfig(path)


def _look_at_kokoro(path: Path) -> None:
    from warmline.engines.kokoro import KokoroConfig, require_kokoro_onnx, voices_beside

    require_kokoro_onnx(path)
    KokoroConfig(path, voices_beside(path))


def check_voice(voice: str | None) -> str | None:
    """A voice that its engine might know."""
    return voice if voice is None else _as_value_error(lambda: EspeakConfig(voice=voice)).voice


def check_rate(rate_wpm: int) -> int:
    """A rate that espeak-ng takes."""
    return _as_value_error(lambda: EspeakConfig(rate_wpm=rate_wpm)).rate_wpm


def _as_value_error(config: Callable[[], _T]) -> _T:
    try:
        return config()
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _own_and(
    allowed: tuple[str, ...], own: Callable[[str, int], tuple[str, ...]], info: ValidationInfo
) -> tuple[str, ...]:
    if "host" not in info.data or "port" not in info.data:
        return allowed  # they are wrong themselves, and said to be
    return tuple(dict.fromkeys((*own(info.data["host"], info.data["port"]), *allowed)))
