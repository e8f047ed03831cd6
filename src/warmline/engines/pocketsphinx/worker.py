"""What runs in the recogniser's processes: load once in the template, listen to one caller in each worker."""

from collections.abc import Callable, Mapping
from pathlib import Path

from warmline.engines.pocketsphinx.config import PocketsphinxConfig
from warmline.engines.pocketsphinx.listener import Heard, Listener, load_listener
from warmline.engines.pocketsphinx.model_files import model_files
from warmline.workers import Channel

__all__ = ["load"]

_RECORDED = Path(__file__).with_name("warm_up.wav")
_WAV_HEADER_BYTES = 44


def load(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Load the decoder and, unless told otherwise, prove that it hears a recorded word.

    Raises:
        RuntimeError: it heard nothing.
    """
    parsed = PocketsphinxConfig(
        phrases=tuple(config["phrases"]),  # type: ignore[arg-type] # JSON written by the engine from its own config
        slots={name: tuple(values) for name, values in config["slots"].items()},  # type: ignore[attr-defined]
        cache_dir=Path(str(config["cache_dir"])),
    )
    listener = load_listener(model_files(parsed.all_phrases(), parsed.all_slots(), parsed.cache_dir))()
    if config["prove"] and not _exercise(listener).text:
        raise RuntimeError("pocketsphinx heard nothing in a recorded word")

    return lambda channel: _listen(channel, listener)


def _exercise(listener: Listener) -> Heard:
    listener.begin()
    listener.feed(_RECORDED.read_bytes()[_WAV_HEADER_BYTES:])
    heard = listener.finish()
    listener.forget_voice()
    return heard


def _listen(channel: Channel, listener: Listener) -> None:
    """{"op": "begin"}, audio, {"op": "finish", "id": n} -> {"id": n, "text", "confidence"}; until closed.

    {"op": "exercise", "id": n} hears the recorded word and answers likewise. Memory shared with the template is copied
    where it is written first: better then than in a caller's first utterance.
    """
    while (message := channel.receive()) is not None:
        match message:
            case bytes():
                listener.feed(message)
            case {"op": "begin"}:
                listener.begin()
            case {"op": "finish", "id": int(number)}:
                _answer(channel, number, listener.finish())
            case {"op": "exercise", "id": int(number)}:
                _answer(channel, number, _exercise(listener))


def _answer(channel: Channel, number: int, heard: Heard) -> None:
    channel.send({"id": number, "text": heard.text, "confidence": heard.confidence})
