"""What a voice may be asked to say in one utterance."""

from warmline.errors import EngineError

__all__ = ["check_length"]

_MAX_CHARS = 5_000


def check_length(text: str) -> None:
    """Make sure that `text` is of a length that somebody may want to hear.

    Raises:
        EngineError: it is too long.
    """
    if len(text) > _MAX_CHARS:
        raise EngineError(f"a text of {len(text)} characters is over {_MAX_CHARS}")
