"""The one settings object: what can be chosen, what each choice means, and what it must satisfy."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from warmline.engines.espeak import EspeakConfig
from warmline.errors import ConfigError
from warmline.settings.addresses import is_loopback, own_hosts, own_origins, parse_listen_host
from warmline.settings.cache_dir import default_cache_dir
from warmline.settings.checks import (
    EMBEDDED,
    add_own_hosts,
    add_own_origins,
    check_azure,
    check_base_url,
    check_ear_model,
    check_model,
    check_rate,
    check_token,
    check_voice,
    check_voice_model,
    lower,
    split_commas,
)
from warmline.settings.complaints import complaint

__all__ = ["OPENAI_BASE_URL", "Settings"]

OPENAI_BASE_URL = "https://api.openai.com/v1"
_ESPEAK = EspeakConfig()

_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
_HomePath = Annotated[Path, AfterValidator(Path.expanduser)]
_Seconds = Annotated[float, Field(allow_inf_nan=False)]
_Token = Annotated[SecretStr | None, AfterValidator(check_token)]
_BaseUrl = Annotated[str | None, AfterValidator(check_base_url)]
_Model = Annotated[str | None, Field(min_length=1, max_length=200), AfterValidator(check_model)]
_Warm = Annotated[Literal["all", "imports", "none"], BeforeValidator(lower)]
_Ear = Annotated[Literal["pocketsphinx", "whisper"], BeforeValidator(lower)]
_Voice = Annotated[Literal["espeak", "kokoro"], BeforeValidator(lower)]
_StartupPolicy = Annotated[Literal["gate", "background", "block"], BeforeValidator(lower)]
_LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(lower)]


class Settings(BaseSettings):
    """Every choice that `warmline serve` offers, checked, and frozen.

    `Settings(...)` takes its arguments and the defaults, nothing else; `load_settings` is what reads the command line,
    the environment and `warmline.toml`. `allowed_origins` and `allowed_hosts` always hold this server's own as well.

    Raises:
        ConfigError: a value is out of its range, or two of them contradict each other.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="WARMLINE_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    # The check of a setting sees the settings above it: their order matters.
    host: Annotated[str, AfterValidator(parse_listen_host)] = Field(
        default="127.0.0.1", description="address to listen on; beyond loopback a token is required"
    )
    port: int = Field(default=7860, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one")
    token: _Token = Field(default=None, description="what a caller must show as its ticket")
    allowed_origins: Annotated[_Names, AfterValidator(add_own_origins)] = Field(
        default=(), description="web origins that may call, this server's own among them"
    )
    allowed_hosts: Annotated[_Names, AfterValidator(add_own_hosts)] = Field(
        default=(), description="Host headers that are answered, this server's own among them"
    )
    max_calls: int = Field(default=8, ge=1, le=10_000, description="calls at once; a further one is refused")
    spare_calls: int = Field(
        default=2, ge=0, le=1000, description="calls that an ear and a voice stand ready for (with warm = all)"
    )
    idle_timeout_sec: _Seconds = Field(
        default=120.0, gt=0, le=86_400, description="seconds of silence after which a call ends"
    )
    startup_policy: _StartupPolicy = Field(
        default="gate",
        description=(
            "what waits for the warm-up: readiness (gate), nothing but what no call can do without (background), or the"
            " server itself (block)"
        ),
    )
    startup_deadline_sec: _Seconds = Field(
        default=60.0, gt=0, le=3600, description="seconds after which the server is ready without what is not critical"
    )
    drain_grace_sec: _Seconds = Field(
        default=30.0, ge=0, le=86_400, description="seconds that live calls may go on after SIGTERM"
    )
    operations_port: int = Field(
        default=0, ge=0, le=65535, description="TCP port of /warmz, on loopback alone; 0 takes a free one"
    )
    warm: _Warm = Field(default="all", description="what is warm before the first call: all, imports alone, or none")
    scenario: _HomePath | None = Field(default=None, description="TOML file of what the agent knows; unset: built in")
    llm_api_key: SecretStr | None = Field(default=None, description="key for the language model's API")
    llm_base_url: _BaseUrl = Field(
        default=None, description=f"OpenAI-compatible API that answers; unset or {EMBEDDED!r}: the built-in emulator"
    )
    llm_model: _Model = Field(
        default=None,
        description="model to ask that API for; unset: the first that it offers (OpenAI itself must be told)",
    )
    llm_azure_api_version: Annotated[str | None, Field(max_length=40), AfterValidator(check_azure)] = Field(
        default=None,
        description=(
            "API version of Azure OpenAI; llm_base_url is then the resource's endpoint, llm_model the deployment, and"
            " without llm_api_key the identity of this process is used"
        ),
    )
    llm_token_timeout_sec: _Seconds = Field(
        default=8.0,
        gt=0,
        le=300,
        description="seconds without a token of an answer after which the caller hears an apology",
    )
    vad_stop_sec: _Seconds = Field(default=0.2, ge=0.05, le=5, description="seconds of silence that may end a turn")
    turn_patience_sec: _Seconds = Field(
        default=0.8, ge=0, le=10, description="seconds that a pause counts as thinking when the turn sounds incomplete"
    )
    ear: _Ear = Field(default="pocketsphinx", description="what hears callers: pocketsphinx, or whisper (ear_model)")
    ear_model: Annotated[_HomePath | None, AfterValidator(check_ear_model)] = Field(
        default=None, description="folder of a Whisper model converted for CTranslate2, its tokenizer.json included"
    )
    voice: _Voice = Field(default="espeak", description="what speaks to callers: espeak, or kokoro (voice_model)")
    voice_model: Annotated[_HomePath | None, AfterValidator(check_voice_model)] = Field(
        default=None,
        description="ONNX file of a Kokoro model, with the file of its voices (voices*.bin or .npz) beside it",
    )
    tts_voice: Annotated[str | None, AfterValidator(check_voice)] = Field(
        default=None, description="which of its voices speaks; unset: en-us of espeak-ng, af_heart of Kokoro"
    )
    tts_rate_wpm: Annotated[int, AfterValidator(check_rate)] = Field(
        default=_ESPEAK.rate_wpm, description="speaking rate of espeak-ng in words a minute"
    )
    cache_dir: _HomePath = Field(
        default_factory=default_cache_dir, description="directory for derived files, for its owner alone (mode 0700)"
    )
    log_level: _LogLevel = Field(default="warning", description="least severe log line that is written")

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def espeak(self) -> EspeakConfig:
        """The voice of espeak-ng, as its engine wants it."""
        return EspeakConfig(voice=self.tts_voice or _ESPEAK.voice, rate_wpm=self.tts_rate_wpm)

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each value that is no default came from, by setting name."""
        return self._sources

    def came_from(self, sources: Mapping[str, str]) -> "Settings":
        """The same settings, knowing their sources."""
        labelled = self.model_copy()
        labelled._sources = dict(sources)
        return labelled

    def listening_on(self, port: int) -> "Settings":
        """The same settings once the server knows its port (it asked for port 0)."""
        origins = self._moved(own_origins, self.allowed_origins, port)
        hosts = self._moved(own_hosts, self.allowed_hosts, port)
        return self.model_copy(update={"port": port, "allowed_origins": origins, "allowed_hosts": hosts})

    def _moved(
        self, own: Callable[[str, int], tuple[str, ...]], allowed: tuple[str, ...], port: int
    ) -> tuple[str, ...]:
        before = own(self.host, self.port)
        return own(self.host, port) + tuple(name for name in allowed if name not in before)

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, values: Any, check: ValidatorFunctionWrapHandler) -> "Settings":
        try:
            settings: Settings = check(_with_llm_endpoint(values))
        except ValidationError as error:
            raise ConfigError(complaint(error)) from error
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The arguments alone: `load_settings` merges the other sources itself, so that it can name them."""
        return (init_settings,)


def _with_llm_endpoint(values: Any) -> Any:
    """`embedded` takes no key; a key without a URL is for OpenAI's own API."""
    if values.get("llm_base_url") == EMBEDDED:
        return {**values, "llm_base_url": None, "llm_api_key": None, "llm_azure_api_version": None}
    if values.get("llm_api_key") is not None and values.get("llm_base_url") is None:
        return {**values, "llm_base_url": OPENAI_BASE_URL}
    return values
