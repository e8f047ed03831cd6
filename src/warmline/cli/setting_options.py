"""Settings as options: the same for every command that takes them, explained by the settings themselves."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from warmline.settings import Settings, load_settings

__all__ = ["takes_settings"]

_FILE = click.Path(path_type=Path)
_EAR = click.Choice(["pocketsphinx", "whisper"])
_VOICE = click.Choice(["espeak", "kokoro"])
_WARM = click.Choice(["all", "imports", "none"])
_STARTUP_POLICY = click.Choice(["gate", "background", "block"])
_LOG_LEVEL = click.Choice(["debug", "info", "warning", "error", "critical"], case_sensitive=False)


def _setting(option: str, name: str, **attributes: Any) -> Callable[..., Any]:
    """An option whose help is the setting's own meaning and default."""
    field = Settings.model_fields[name]
    default = f"  [default: {field.default}]" if field.default not in (None, ()) else ""
    return click.option(option, name, help=f"{field.description}.{default}", **attributes)


_OPTIONS = (
    _setting("--host", "host", metavar="ADDRESS"),
    _setting("--port", "port", type=int, metavar="PORT"),
    click.option("--token-file", type=_FILE, metavar="FILE", help="file that holds the token (or set WARMLINE_TOKEN)."),
    _setting("--allow-origin", "allowed_origins", multiple=True, metavar="ORIGIN"),
    _setting("--allow-host", "allowed_hosts", multiple=True, metavar="HOST"),
    _setting("--max-calls", "max_calls", type=int, metavar="N"),
    _setting("--spare-calls", "spare_calls", type=int, metavar="N"),
    _setting("--idle-timeout", "idle_timeout_sec", type=float, metavar="SECONDS"),
    _setting("--startup-policy", "startup_policy", type=_STARTUP_POLICY),
    _setting("--startup-deadline", "startup_deadline_sec", type=float, metavar="SECONDS"),
    _setting("--drain-grace", "drain_grace_sec", type=float, metavar="SECONDS"),
    _setting("--operations-port", "operations_port", type=int, metavar="PORT"),
    _setting("--warm", "warm", type=_WARM),
    click.option("--cold", is_flag=True, help="the same as --warm none."),
    _setting("--scenario", "scenario", type=_FILE, metavar="FILE"),
    _setting("--ear", "ear", type=_EAR),
    _setting("--ear-model", "ear_model", type=_FILE, metavar="FOLDER"),
    _setting("--voice", "voice", type=_VOICE),
    _setting("--voice-model", "voice_model", type=_FILE, metavar="FILE"),
    _setting("--llm-model", "llm_model", metavar="NAME"),
    _setting("--llm-base-url", "llm_base_url", metavar="URL"),
    _setting("--llm-azure-api-version", "llm_azure_api_version", metavar="VERSION"),
    _setting("--llm-token-timeout", "llm_token_timeout_sec", type=float, metavar="SECONDS"),
    _setting("--log-level", "log_level", type=_LOG_LEVEL),
    click.option("--config", type=_FILE, metavar="FILE", help="file of settings.  [default: ./warmline.toml]"),
)


def takes_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, and call `command` with the checked `settings` in their place."""

    @wraps(command)
    def with_settings(
        *args: Any, token_file: Path | None, config: Path | None, cold: bool, warm: str | None, **values: Any
    ) -> Any:
        chosen = {name: value for name, value in values.items() if name in Settings.model_fields and value != ()}
        others = {name: value for name, value in values.items() if name not in Settings.model_fields}
        chosen["warm"] = _warm(cold, warm)
        return command(*args, settings=load_settings(chosen, token_file=token_file, config=config), **others)

    decorated: Callable[..., Any] = with_settings
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _warm(cold: bool, warm: str | None) -> str | None:
    if cold and warm not in (None, "none"):
        raise click.UsageError(f"--cold means --warm none, not --warm {warm}")
    return "none" if cold else warm
