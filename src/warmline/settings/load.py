"""Where settings come from, and which source wins: command line, environment, OpenAI's names, file, default."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from warmline.errors import ConfigError
from warmline.settings.checks import EMBEDDED
from warmline.settings.complaints import complaint
from warmline.settings.config_file import DEFAULT_NAME, read_config_file
from warmline.settings.settings import Settings
from warmline.settings.token_file import read_token_file
from warmline.settings.toml_file import TomlFile

__all__ = ["SECRETS", "load_settings"]

SECRETS = frozenset({"token", "llm_api_key"})
_OPENAI_NAMES = {"llm_api_key": "OPENAI_API_KEY", "llm_base_url": "OPENAI_BASE_URL", "llm_model": "OPENAI_MODEL"}
# As the SDK's Azure client reads them; the deployment's is ours. An endpoint there wins over OpenAI's own names.
_AZURE_NAMES = {
    "llm_api_key": "AZURE_OPENAI_API_KEY",
    "llm_base_url": "AZURE_OPENAI_ENDPOINT",
    "llm_model": "AZURE_OPENAI_DEPLOYMENT",
    "llm_azure_api_version": "OPENAI_API_VERSION",
}
_OPTIONS = {
    "allowed_origins": "--allow-origin",
    "allowed_hosts": "--allow-host",
    "idle_timeout_sec": "--idle-timeout",
    "llm_token_timeout_sec": "--llm-token-timeout",
}


@dataclass(frozen=True, slots=True)
class _Source:
    """Some values, and what to call the place that each came from."""

    values: Mapping[str, Any]
    labels: Mapping[str, str]


def load_settings(
    command_line: Mapping[str, object] | None = None,
    *,
    token_file: Path | None = None,
    config: Path | None = None,
    directory: Path | None = None,
) -> Settings:
    """Merge all sources into checked settings that know where each value came from.

    Args:
        command_line: values by setting name; `None` means not given. Never secrets.
        token_file: file whose content is the token.
        config: the TOML file to read; without it `warmline.toml` of `directory`, if there is one.
        directory: stands for the working directory.

    Raises:
        ConfigError: a value is wrong; the message names the setting and its source.
    """
    command, environment = _from_command_line(command_line or {}, token_file), _from_environment()
    file = _from_file(config, directory or Path())
    sources = [command, environment, _from_sdk_names((command, environment, file)), file]
    values: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for source in sources:
        values = {**source.values, **values}
        labels = {**source.labels, **labels}
    return _checked(values, labels)


def _checked(values: Mapping[str, Any], labels: Mapping[str, str]) -> Settings:
    try:
        settings = Settings(**values)
    except ConfigError as error:
        if isinstance(error.__cause__, ValidationError):
            raise ConfigError(complaint(error.__cause__, labels)) from error.__cause__
        raise
    return settings.came_from(_after_llm_choice(settings, values, labels))


def _after_llm_choice(settings: Settings, values: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, str]:
    """Say so where the key decided on the endpoint, or the endpoint on the key."""
    if values.get("llm_base_url") == EMBEDDED and "llm_api_key" in labels:
        return {**labels, "llm_api_key": f"not used, because llm_base_url is {EMBEDDED!r}"}
    if settings.llm_base_url is not None and "llm_base_url" not in labels:
        return {**labels, "llm_base_url": f"because llm_api_key is set ({labels['llm_api_key']})"}
    return labels


def _from_command_line(given: Mapping[str, object], token_file: Path | None) -> _Source:
    secret = SECRETS & {name for name, value in given.items() if value is not None}
    if secret:
        raise ConfigError(f"{', '.join(sorted(secret))}: a secret is never taken from the command line")
    values = {name: value for name, value in given.items() if value is not None}
    labels = {name: f"command line, {_OPTIONS.get(name, '--' + name.replace('_', '-'))}" for name in values}
    if token_file is None:
        return _Source(values, labels)
    token = SecretStr(read_token_file(token_file))
    return _Source({**values, "token": token}, {**labels, "token": f"command line, --token-file {token_file}"})


def _from_environment() -> _Source:
    values = EnvSettingsSource(Settings)()
    return _Source(values, {name: f"environment, WARMLINE_{name.upper()}" for name in values})


def _from_sdk_names(others: Sequence[_Source]) -> _Source:
    """Azure's names all together, and only where nobody named another address: its key is for its endpoint alone."""
    elsewhere = any("llm_base_url" in source.values for source in others)
    names = _AZURE_NAMES if os.environ.get(_AZURE_NAMES["llm_base_url"]) and not elsewhere else _OPENAI_NAMES
    versioned = os.environ.get("OPENAI_API_VERSION") or any("llm_azure_api_version" in each.values for each in others)
    if names is _AZURE_NAMES and not versioned:
        raise ConfigError("AZURE_OPENAI_ENDPOINT is set, but OPENAI_API_VERSION is not: set it, 2024-10-21 for example")
    values = {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}
    return _Source(values, {name: f"environment, {names[name]}" for name in values})


def _from_file(config: Path | None, directory: Path) -> _Source:
    path = config or directory / DEFAULT_NAME
    if config is None and not path.exists():
        return _Source({}, {})
    file = read_config_file(path, known=set(Settings.model_fields) - SECRETS, secret=SECRETS)
    return _Source(_with_own_paths(file), {name: file.where(name) for name in file.values})


def _with_own_paths(file: TomlFile) -> Mapping[str, Any]:
    """Relative paths in a file are relative to that file, wherever the command was run."""
    return {
        name: file.path.parent / Path(value).expanduser()
        if name in {"scenario", "cache_dir", "ear_model", "voice_model"} and isinstance(value, str)
        else value
        for name, value in file.values.items()
    }
