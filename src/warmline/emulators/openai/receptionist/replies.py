"""The wording of replies: short spoken sentences, the first one about a second long, so that the voice starts early."""

from collections.abc import Iterable, Mapping, Sequence

from warmline.emulators.openai.receptionist.booking import Booking, Slot
from warmline.emulators.openai.receptionist.conversation import Conversation
from warmline.emulators.openai.receptionist.desk import Act, Asked, Step
from warmline.emulators.openai.receptionist.words import spoken_words

__all__ = ["explains", "word_reply"]

_QUESTIONS: Mapping[Asked, tuple[str, ...]] = {
    "day": ("For which day?", "Which day would you like?"),
    "time": ("At what time?", "What time would you like?"),
    "party_size": ("For how many people?", "How many people will you be?"),
    "name": ("Under what name?", "What name may I write down?"),
    "confirm": ("Is that right?", "Is everything right?"),
    "change": ("Sorry about that. What shall I change?", "Tell me the day, the time, or the name. What is wrong?"),
    "name_to_cancel": ("I can do that. What name is the booking under?", "Under what name is the booking?"),
    "confirm_cancel": ("One moment. Shall I cancel {booking}?", "Shall I really cancel {booking}?"),
}
_SAYINGS: Mapping[Act, tuple[str, ...]] = {
    "dropped": ("No problem. Nothing is booked.", "All right. I have not booked anything."),
    "cancelled": ("It is cancelled. Thank you for telling us.",),
    "kept": ("All right. The booking stays as it is.",),
    "greeting": ("Hello. How can I help you?", "Hello again. How can I help you?"),
    "how_are_you": ("I am very well, thank you. What can I do for you?", "I am fine, thank you. How can I help?"),
    "are_you_a_robot": (
        "I am a computer. But I know this place, and I can book or cancel for you.",
        "Yes, a machine. Still, I can answer questions, and take your booking.",
    ),
    "thanks": ("You are welcome. Is there anything else?", "You are very welcome. Anything else?"),
    "goodbye": ("Goodbye. Have a nice day.", "Goodbye. Talk to you soon."),
    "listening": ("All right. What can I do for you?", "Yes. How can I help you?"),
}
_BOOKED = "That is booked."
_DAY_NAMES = (
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december"
)
_NAMED_DAYS = frozenset(_DAY_NAMES.split())
_WITHOUT_ON = ("today", "tonight", "tomorrow", "next", "this", "the day after")


def word_reply(step: Step, conversation: Conversation) -> str:
    """What to say after `step`; not the text that was said last, where another will do."""
    question = _question(step, conversation.last_reply)
    if step.act == "ask":
        return f"{_acknowledgement(step)} {question}".strip()
    if step.act == "unclear":
        return _unclear(conversation, question)
    if step.act == "repeat":
        return _again(conversation.last_reply, question)
    if step.fact:
        return f"{step.fact.text} {question}".strip()
    if step.act == "booked" and step.desk.booked:
        return f"{_BOOKED} {_sentence(_described(step.desk.booked))} See you then."
    return _small_talk(step.act, question, conversation.last_reply)


def explains(step: Step, answered: str) -> bool:
    """Whether `answered`, which may have been cut short by the caller, can be what was said after `step`."""
    said = spoken_words(answered)
    asked = step.desk.asked if step.act == "ask" else None
    marks = _wordings(asked, step.desk.booking or Booking()) if asked else _SAYINGS.get(step.act, (_BOOKED,))
    begun = [f"{_acknowledgement(step)} {mark}" for mark in marks]
    return any(spoken_words(mark) in said for mark in marks) or any(
        spoken_words(text).startswith(said) for text in begun
    )


def _question(step: Step, last_reply: str) -> str:
    """The open question, if there is one."""
    asked = step.desk.asked
    return _fresh(_wordings(asked, step.desk.booking or Booking()), last_reply) if asked else ""


def _wordings(asked: Asked, booking: Booking) -> list[str]:
    whose = f"the booking of {booking.name.title()}" if booking.name and not booking.day else _described(booking)
    return [wording.format(booking=whose) for wording in _QUESTIONS[asked]]


def _acknowledgement(step: Step) -> str:
    booking = step.desk.booking or Booking()
    if step.desk.asked == "confirm":
        return f"Let me repeat that. {_sentence(_described(booking))}"
    if step.filled:
        return _sentence(_described(Booking(booking.kind).with_slots(_only(booking, step.filled))))
    is_new = not booking.filled() and step.desk.asked == "day"
    return "With pleasure." if is_new else ""


def _only(booking: Booking, slots: Iterable[str]) -> dict[Slot, str]:
    return {slot: value for slot, value in booking.filled().items() if slot in slots}


def _described(booking: Booking) -> str:
    """`a table for four, on Friday, at eight, under the name Anna`; without the slots that are open."""
    filled = booking.filled()
    parts = [_what(booking)] if booking.party_size or len(filled) > 1 else []
    if booking.day:
        parts.append(_day(booking.day))
    if booking.time:
        parts.append(f"at {booking.time}" if parts or booking.time.startswith(("noon", "midnight")) else booking.time)
    if booking.name:
        parts.append(f"under the name {booking.name.title()}")
    return ", ".join(parts)


def _what(booking: Booking) -> str:
    if booking.kind == "appointment":
        return "an appointment"
    return f"a table for {booking.party_size}" if booking.party_size else "a table"


def _day(day: str) -> str:
    spoken = " ".join(word.capitalize() if word in _NAMED_DAYS else word for word in day.split())
    return spoken if day.startswith(_WITHOUT_ON) else f"on {spoken}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _unclear(conversation: Conversation, question: str) -> str:
    if question:
        return _fresh(
            (f"Sorry, once more please. {question}", f"I did not get that. {question}"), conversation.last_reply
        )
    hint = _topics(conversation.topics, turn=len(conversation.exchanges))
    wordings = (
        f"Sorry, I did not understand. {hint}",
        f"I did not get that. {hint}",
    )
    return _fresh(wordings, conversation.last_reply)


def _topics(topics: Sequence[str], turn: int) -> str:
    """A hint at three topics, others in the next turn."""
    if not topics:
        return "You can ask me about this place, or book a table."
    chosen = [topics[(3 * turn + place) % len(topics)] for place in range(min(3, len(topics)))]
    return f"You can ask me about {', '.join(chosen)}, or make a booking."


def _again(last_reply: str, question: str) -> str:
    said = last_reply.removeprefix("Of course. ") or question or "How can I help you?"
    return f"Of course. {said}"


def _small_talk(act: Act, question: str, last_reply: str) -> str:
    saying = _fresh(_SAYINGS[act], last_reply)
    # An open question takes the place of "anything else?".
    return f"{saying.split('. ')[0].rstrip('.')}. {question}" if question else saying


def _fresh(wordings: Iterable[str], last_reply: str) -> str:
    """The first wording that was not just said."""
    options = list(wordings)
    return next((option for option in options if option not in last_reply), options[0])
