"""One utterance through Whisper: blocking, and given up between two windows when nobody wants it any more."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from warmline.engines.protocols import Transcript
from warmline.engines.whisper.config import WhisperConfig

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel

__all__ = ["SAMPLE_RATE_HZ", "transcribe"]

SAMPLE_RATE_HZ = 16_000
_NO_SPEECH_SYMBOLS = -1  # faster-whisper's name for brackets, notes and the like


def transcribe(
    weights: "WhisperModel",
    config: WhisperConfig,
    samples: "np.ndarray[tuple[int], np.dtype[np.float32]]",
    unwanted: Callable[[], bool],
) -> Transcript:
    """What is said in `samples` (-1..1, 16 kHz). The confidence is the geometric mean of the tokens' probabilities."""
    segments, _ = weights.transcribe(
        samples,
        language=config.language,
        beam_size=config.beam_size,
        max_new_tokens=config.max_tokens,
        # One pass: falling back to other temperatures would multiply the time of just the doubtful utterances.
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        suppress_tokens=[_NO_SPEECH_SYMBOLS, *_timestamp_tokens(weights)],
    )
    texts, weighted_logprob, tokens = [], 0.0, 0
    for segment in segments:  # a lazy generator: this is where the time goes
        texts.append(segment.text)
        weighted_logprob += segment.avg_logprob * len(segment.tokens)
        tokens += len(segment.tokens)
        if unwanted():
            break
    if not tokens:
        return Transcript("", 0.0, "")
    return Transcript("".join(texts).strip(), min(1.0, math.exp(weighted_logprob / tokens)), "whisper")


def _timestamp_tokens(weights: "WhisperModel") -> range:
    """All times: a model that says one although it was asked not to would be sent back there, again and again."""
    first = weights.hf_tokenizer.token_to_id("<|notimestamps|>") + 1
    return range(first, weights.hf_tokenizer.get_vocab_size())
