"""What is always said in the same words, made before anybody calls."""

import re
from typing import TYPE_CHECKING

import numpy as np

from warmline.agent.wire import SAMPLE_RATE_HZ
from warmline.errors import WarmUpFailed

if TYPE_CHECKING:
    from warmline.engines import TextToSpeech

__all__ = ["is_stray_hello", "render_sentence", "trim_leading_silence"]

_AUDIBLE_AMPLITUDE = 180  # about -45 dBFS
_STRAY = re.compile(r"(?:hello|hi|hey|yes|yeah|hm+|uh|um|oh|okay|ok|anybody there|is anybody there|are you there|\s)*")


def is_stray_hello(text: str) -> bool:
    """Whether somebody only made sure that they are heard: no reason to stop greeting them, and nothing to answer."""
    return _STRAY.fullmatch(re.sub(r"[^a-z ]", "", text.lower())) is not None


def trim_leading_silence(pcm: bytes) -> bytes:
    """`pcm` from its first audible sample on."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16).astype(np.int32)) >= _AUDIBLE_AMPLITUDE)
    return pcm[int(loud[0]) * 2 :] if loud.size else b""


async def render_sentence(voice: "TextToSpeech", text: str) -> bytes:
    """A sentence as PCM of the wire's rate, beginning with its first audible sample.

    Raises:
        WarmUpFailed: the voice said nothing that can be heard.
    """
    assert voice.sample_rate_hz == SAMPLE_RATE_HZ, "engines are configured to speak at the wire's rate"
    pcm = trim_leading_silence(b"".join([piece async for piece in voice.synthesize(text)]))
    if not pcm:
        raise WarmUpFailed("the voice said it inaudibly")
    return pcm
