"""The wire protocol as pure functions (docs/reference/wire-protocol.md)."""

import json
from collections.abc import Mapping

from warmline.errors import ProtocolError

__all__ = [
    "BYTES_PER_FRAME",
    "BYTES_PER_SAMPLE",
    "FRAME_MS",
    "MAX_FRAME_BYTES",
    "SAMPLE_RATE_HZ",
    "check_audio",
    "parse_control",
]

SAMPLE_RATE_HZ = 16_000
FRAME_MS = 20
BYTES_PER_SAMPLE = 2
BYTES_PER_FRAME = SAMPLE_RATE_HZ * FRAME_MS // 1000 * BYTES_PER_SAMPLE
MAX_FRAME_BYTES = 64 * 1024

_UNSUPPORTED_DATA, _INVALID_DATA, _POLICY_VIOLATION, _TOO_BIG = 1003, 1007, 1008, 1009


def check_audio(pcm: bytes) -> bytes:
    """`pcm`, when it is a frame of audio.

    Raises:
        ProtocolError: too large, or half a sample.
    """
    if len(pcm) > MAX_FRAME_BYTES:
        raise ProtocolError(_TOO_BIG, f"a frame of {len(pcm)} bytes is over {MAX_FRAME_BYTES}")
    if len(pcm) % BYTES_PER_SAMPLE:
        raise ProtocolError(_UNSUPPORTED_DATA, f"{len(pcm)} bytes are no whole number of 16 bit samples")
    return pcm


def parse_control(text: str, *, first: bool) -> Mapping[str, object]:
    """The control message in `text`; `first` says whether nothing came before it.

    Raises:
        ProtocolError: too large, no JSON object, of unknown type, or a `hello` out of place.
    """
    if len(text) > MAX_FRAME_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise ProtocolError(_TOO_BIG, f"a text frame is over {MAX_FRAME_BYTES} bytes")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(_INVALID_DATA, "a text frame is not JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError(_INVALID_DATA, "a text frame is not a JSON object")
    match message.get("type"):
        case "bye":
            return message
        case "hello" if first:
            return message
        case "hello":
            raise ProtocolError(_POLICY_VIOLATION, "hello may only be the first message, once")
    raise ProtocolError(_POLICY_VIOLATION, "unknown type of message")
