"""The messages of a request, read as a receptionist reads them: what was said, and what it is told about the place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from warmline.emulators.openai.receptionist.words import spoken_words
from warmline.engines import ChatMessage
from warmline.engines.sound_alike import HEARD, likeness

__all__ = ["Conversation", "Exchange", "Knowledge", "read_conversation"]

_FACT = re.compile(r"^[-*] *([^:\n]{1,60}): *(.+)$", re.MULTILINE)
_TOPICS = re.compile(r"^Topics: *(.+?)\.?$", re.MULTILINE)


# A fact that was chosen for this turn weighs more than the one word "book", and less than "book a table".
_OFFERED = 2.6
# Nobody says more in one turn of a call; matching costs time by the word.
_MAX_WORDS = 80


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Something about the place; `offered` for this very turn, or told at the beginning for all turns."""

    topic: str
    text: str
    offered: bool

    def weight(self, words: str) -> float:
        """How much speaks for this being what `words` ask about."""
        heard = words.split()
        named = sum(
            max((likeness(word, part) for word in heard), default=0.0) >= HEARD
            for part in spoken_words(self.topic).split()
        )
        return (_OFFERED if self.offered else 0.0) + 1.2 * named


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the caller said, in spoken words, and what was `answered` (empty: not yet)."""

    said: str
    answered: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that a reply may depend on."""

    exchanges: tuple[Exchange, ...]
    knowledge: tuple[Knowledge, ...]
    topics: tuple[str, ...]
    takes_appointments_only: bool
    last_reply: str


def read_conversation(messages: Sequence[ChatMessage]) -> Conversation:
    """Read `messages`; facts are the lines `- topic: text` of system messages, in the order of their relevance."""
    told = "\n".join(message.content for message in messages if message.role in {"system", "developer"})
    topics = _TOPICS.search(told)
    replies = [message.content for message in messages if message.role == "assistant"]
    return Conversation(
        exchanges=tuple(_exchanges(messages)),
        knowledge=tuple(_knowledge(messages)),
        topics=tuple(topic.strip() for topic in topics[1].split(",")) if topics else (),
        takes_appointments_only="appointment" in told.lower() and "table" not in told.lower(),
        last_reply=replies[-1] if replies else "",
    )


def _exchanges(messages: Sequence[ChatMessage]) -> Iterator[Exchange]:
    for place, message in enumerate(messages):
        if message.role == "user":
            following = messages[place + 1] if place + 1 < len(messages) else None
            answered = following.content if following and following.role == "assistant" else ""
            yield Exchange(_bounded(spoken_words(message.content)), answered)


def _bounded(words: str) -> str:
    return " ".join(words.split()[:_MAX_WORDS])


def _knowledge(messages: Sequence[ChatMessage]) -> Iterator[Knowledge]:
    for place, message in enumerate(messages):
        if message.role not in {"system", "developer"}:
            continue
        # Facts that stand right before the caller's last words were chosen for these.
        offered = place == len(messages) - 2 and place > 0
        for topic, text in _FACT.findall(message.content):
            yield Knowledge(topic.strip(), text.strip(), offered)
