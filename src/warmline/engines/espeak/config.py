"""What espeak-ng is asked to sound like."""

from dataclasses import dataclass

from warmline.errors import ConfigError

__all__ = ["EspeakConfig"]


@dataclass(frozen=True, slots=True)
class EspeakConfig:
    """`voice`: a name espeak-ng knows; `rate_wpm`: words a minute, 80..450; `sample_rate_hz`: of the audio it yields.

    Raises:
        ConfigError: a value espeak-ng would not take.
    """

    voice: str = "en-us"
    rate_wpm: int = 175
    sample_rate_hz: int = 16_000

    def __post_init__(self) -> None:
        if not 80 <= self.rate_wpm <= 450:
            raise ConfigError(f"espeak rate_wpm: 80 to 450 words a minute, not {self.rate_wpm}")
        if not self.voice or len(self.voice) > 64 or not self.voice.isprintable():
            raise ConfigError("espeak voice: a name of 1 to 64 printable characters")
