"""Frames on a worker's socket: one byte of kind, four of length (big endian), then JSON or raw bytes."""

import json
import struct
from collections.abc import Mapping

__all__ = ["HEADER", "MAX_PAYLOAD_BYTES", "FrameDecoder", "FrameError", "Message", "decode_payload", "encode"]

Message = Mapping[str, object] | bytes

HEADER = struct.Struct("!BI")
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
_JSON, _RAW = 0, 1


class FrameError(ValueError):
    """What came is no frame of ours; the stream cannot be read on."""


def encode(message: Message) -> bytes:
    """One message as a frame."""
    if isinstance(message, bytes):
        kind, payload = _RAW, message
    else:
        kind, payload = _JSON, json.dumps(message, separators=(",", ":")).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FrameError(f"a message of {len(payload)} bytes is over {MAX_PAYLOAD_BYTES}")
    return HEADER.pack(kind, len(payload)) + payload


def decode_payload(kind: int, payload: bytes) -> Message:
    """The message in a frame of this kind.

    Raises:
        FrameError: unknown kind, or JSON that is no object.
    """
    if kind == _RAW:
        return payload
    if kind != _JSON:
        raise FrameError(f"unknown kind of frame: {kind}")
    message = json.loads(payload)
    if not isinstance(message, dict):
        raise FrameError("a control message is a JSON object")
    return message


class FrameDecoder:
    """Cuts a byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by `data`, in order.

        Raises:
            FrameError: the stream holds something else than frames.
        """
        self._buffer += data
        messages = []
        while (message := self._take()) is not None:
            messages.append(message)
        return messages

    def _take(self) -> Message | None:
        if len(self._buffer) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self._buffer)
        if length > MAX_PAYLOAD_BYTES:
            raise FrameError(f"a frame of {length} bytes is over {MAX_PAYLOAD_BYTES}")
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        return decode_payload(kind, payload)
