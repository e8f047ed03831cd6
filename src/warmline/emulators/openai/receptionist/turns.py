"""How a caller's turn moves the desk on: an open question comes first, then whatever the words speak for most."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from warmline.emulators.openai.receptionist.booking import Booking, Kind, Slot, slots_in
from warmline.emulators.openai.receptionist.caller_name import find_bare_name, find_name
from warmline.emulators.openai.receptionist.consent import consent_in
from warmline.emulators.openai.receptionist.conversation import Knowledge
from warmline.emulators.openai.receptionist.cues import Evidence, Intent, hears, weigh
from warmline.emulators.openai.receptionist.desk import Act, Asked, Desk, Step

__all__ = ["take_turn"]

_BOOKING_WEIGHT = 2.0
_SLOT_WEIGHT = 1.0
_SURE = 2.5
_BOOKING: tuple[Intent, ...] = ("book_table", "book_appointment", "change_booking")
_SMALL_TALK: tuple[Act, ...] = ("greeting", "how_are_you", "are_you_a_robot", "repeat", "thanks", "goodbye")
_QUESTIONS = (
    "what", "where", "when", "how", "who", "which", "why", "do you", "does", "are you", "are there", "is there",
    "is it",
    "is the", "have you", "can you tell", "could you tell",
)  # fmt: skip
_ABOUT_THE_BOOKING = (
    "table", "book", "free", "available", "possible", "anything", "something", "how about", "what about", "make it",
)  # fmt: skip
_WORDS_FOR: dict[Slot, tuple[str, ...]] = {
    "day": ("day", "date"),
    "time": ("time", "hour"),
    "party_size": ("people", "number", "persons", "guests"),
    "name": ("name",),
}


def take_turn(desk: Desk, words: str, knowledge: Sequence[Knowledge], *, appointments_only: bool) -> Step:
    """Understand what the caller said at this `desk`, given what is known about the place."""
    evidence = weigh(words)
    step = _answer(desk, words, evidence) if desk.asked else None
    return step or _free(desk, words, evidence, knowledge, "appointment" if appointments_only else None)


def _answer(desk: Desk, words: str, evidence: Sequence[Evidence]) -> Step | None:
    """The turn as an answer to the open question, if it is one."""
    if cancel := _surely(evidence, "cancel_booking"):
        return _cancel(desk, words, cancel.cues)
    if _surely(evidence, "repeat") or _is_aside(words):
        return None
    if desk.asked in {"name_to_cancel", "confirm_cancel"}:
        return _answer_on_cancelling(desk, words)
    return _fill(desk, words) or _answer_yes_or_no(desk, words)


def _surely(evidence: Sequence[Evidence], intent: str) -> Evidence | None:
    return next((found for found in evidence if found.intent == intent and found.weight >= _SURE), None)


def _is_aside(words: str) -> bool:
    """A question about something else than the booking."""
    return words.startswith(tuple(f"{start} " for start in _QUESTIONS)) and not hears(words, *_ABOUT_THE_BOOKING)


def _fill(desk: Desk, words: str) -> Step | None:
    booking = desk.booking or Booking()
    asked = next((slot for slot in get_args(Slot) if slot == desk.asked), None)
    found = slots_in(words, asked, booking)
    filled = tuple(slot for slot, value in found.items() if booking.filled().get(slot) != value)
    return _ask_on(desk, booking.with_slots(found), filled, tuple(found.values())) if filled else None


def _ask_on(desk: Desk, booking: Booking, filled: tuple[Slot, ...], evidence: tuple[str, ...]) -> Step:
    asked: Asked = booking.missing() or "confirm"
    return Step(replace(desk, booking=booking, asked=asked), f"book_{booking.kind}", "ask", filled, evidence=evidence)


def _answer_yes_or_no(desk: Desk, words: str) -> Step | None:
    booking, consent = desk.booking or Booking(), consent_in(words)
    intent = f"book_{booking.kind}"
    if desk.asked == "confirm" and consent == "yes":
        return Step(Desk(booked=booking), intent, "booked", evidence=(words,))
    if desk.asked in {"confirm", "change"}:
        wrong = next((slot for slot, names in _WORDS_FOR.items() if hears(words, *names)), None)
        if wrong:
            return Step(replace(desk, asked=wrong), intent, "ask", evidence=(words,))
    if desk.asked == "confirm" and consent == "no":
        return Step(replace(desk, asked="change"), intent, "ask", evidence=(words,))
    if desk.asked == "change" and consent == "no":
        return Step(replace(desk, asked="confirm"), intent, "ask", evidence=(words,))
    return None


def _answer_on_cancelling(desk: Desk, words: str) -> Step | None:
    if desk.asked == "confirm_cancel" and (consent := consent_in(words)):
        cancelled = consent == "yes"
        after = Desk(booked=None if cancelled else desk.booked)
        return Step(after, "cancel_booking", "cancelled" if cancelled else "kept", evidence=(words,))
    name = find_name(words).value or find_bare_name(words).value
    if not name:
        return None
    return _confirm_cancelling(desk, Booking(name=name), (name,))


def _confirm_cancelling(desk: Desk, booking: Booking, evidence: tuple[str, ...]) -> Step:
    after = replace(desk, booking=booking, asked="confirm_cancel")
    return Step(after, "cancel_booking", "ask", evidence=evidence)


def _cancel(desk: Desk, words: str, cues: tuple[str, ...]) -> Step:
    if desk.asked and desk.asked not in {"name_to_cancel", "confirm_cancel"}:
        return Step(Desk(booked=desk.booked), "cancel_booking", "dropped", evidence=cues)
    if desk.booked:
        return _confirm_cancelling(desk, desk.booked, cues)
    if name := find_name(words).value:
        return _confirm_cancelling(desk, Booking(name=name), cues)
    return Step(replace(desk, booking=Booking(), asked="name_to_cancel"), "cancel_booking", "ask", evidence=cues)


def _free(
    desk: Desk, words: str, evidence: Sequence[Evidence], knowledge: Sequence[Knowledge], kind: Kind | None
) -> Step:
    """The turn for what its words speak for most: cancelling, a booking, a fact, small talk, or nothing at all."""
    fact = _best(knowledge, words)
    fact_weight = fact.weight(words) if fact else 0.0
    cancel = _surely(evidence, "cancel_booking")
    if cancel and cancel.weight > fact_weight:
        return _cancel(desk, words, cancel.cues)
    talk = next((found for found in evidence if found.intent in _SMALL_TALK), None)
    rival = max(fact_weight, talk.weight if talk else 0.0)
    if not desk.asked and (booking := _begin(desk, words, evidence, kind, rival)):
        return booking
    if fact and fact_weight > 0 and fact_weight >= rival:
        return Step(desk, fact.topic.replace(" ", "_"), "fact", fact=fact, evidence=(fact.topic,))
    return _small_talk(desk, talk) if talk else _nothing_asked(desk, words)


def _best(knowledge: Sequence[Knowledge], words: str) -> Knowledge | None:
    """The first that was offered, which is the most relevant; else, of what was told for all turns, the best named."""
    offered = next((known for known in knowledge if known.offered), None)
    return offered or max(knowledge, key=lambda known: known.weight(words), default=None)


def _small_talk(desk: Desk, talk: Evidence) -> Step:
    act = next(act for act in _SMALL_TALK if act == talk.intent)
    return Step(desk, act, act, evidence=talk.cues)


def _begin(desk: Desk, words: str, evidence: Sequence[Evidence], kind: Kind | None, rival: float) -> Step | None:
    """A booking begins, or the one that was made is changed, if the words speak for that more than for its `rival`."""
    about = {found.intent: found for found in evidence if found.intent in _BOOKING}
    kind = kind or _kind(about)
    changed = desk.booked if _weight(about, "change_booking") >= _BOOKING_WEIGHT else None
    booking = changed or Booking(kind)
    slots = slots_in(words, None, booking)
    weight = max(_weight(about, intent) for intent in _BOOKING) + _SLOT_WEIGHT * len(slots.keys() - {"name"})
    if weight < _BOOKING_WEIGHT or weight <= rival:
        return None
    cues = tuple(cue for found in about.values() for cue in found.cues)
    step = _ask_on(desk, booking.with_slots(slots), tuple(slots), (*cues, *slots.values()))
    return replace(step, desk=replace(step.desk, asked="change")) if changed and not slots else step


def _kind(about: Mapping[Intent, Evidence]) -> Kind:
    return "appointment" if _weight(about, "book_appointment") > _weight(about, "book_table") else "table"


def _weight(about: Mapping[Intent, Evidence], intent: Intent) -> float:
    return about[intent].weight if intent in about else 0.0


def _nothing_asked(desk: Desk, words: str) -> Step:
    """A bare yes or no to nobody's question."""
    consent = None if desk.asked or len(words.split()) > 3 else consent_in(words)
    if consent == "yes":
        return Step(desk, "listening", "listening", evidence=(words,))
    if consent == "no":
        return Step(desk, "goodbye", "goodbye", evidence=(words,))
    return Step(desk, "unclear", "unclear")
