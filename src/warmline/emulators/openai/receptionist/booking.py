"""A booking in the making: what is known of it, and what is still to be asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from warmline.emulators.openai.receptionist.caller_name import find_bare_name, find_name
from warmline.emulators.openai.receptionist.party_size import find_bare_party_size, find_party_size
from warmline.emulators.openai.receptionist.spoken_day import find_day
from warmline.emulators.openai.receptionist.spoken_time import find_bare_time, find_time
from warmline.emulators.openai.receptionist.taken import Taken

__all__ = ["Booking", "Kind", "Slot", "slots_in"]

Kind = Literal["table", "appointment"]
Slot = Literal["day", "time", "party_size", "name"]

_BARE: Mapping[Slot, Callable[[str], Taken]] = {
    "time": find_bare_time,
    "party_size": find_bare_party_size,
    "name": find_bare_name,
}


@dataclass(frozen=True, slots=True)
class Booking:
    """A table or an appointment; each slot holds spoken words, or None while it is unknown."""

    kind: Kind = "table"
    day: str | None = None
    time: str | None = None
    party_size: str | None = None
    name: str | None = None

    def missing(self) -> Slot | None:
        """The slot to ask for next."""
        needed: tuple[Slot, ...] = ("day", "time", "party_size", "name")
        return next((slot for slot in needed if slot not in self.filled() and not self._needless(slot)), None)

    def filled(self) -> dict[Slot, str]:
        """What is known."""
        known: dict[Slot, str | None] = {
            "day": self.day,
            "time": self.time,
            "party_size": self.party_size,
            "name": self.name,
        }
        return {slot: value for slot, value in known.items() if value is not None}

    def with_slots(self, slots: Mapping[Slot, str]) -> "Booking":
        """This booking with `slots` filled or corrected."""
        return replace(
            self,
            day=slots.get("day", self.day),
            time=slots.get("time", self.time),
            party_size=None if self._needless("party_size") else slots.get("party_size", self.party_size),
            name=slots.get("name", self.name),
        )

    def _needless(self, slot: Slot) -> bool:
        return slot == "party_size" and self.kind == "appointment"


def slots_in(words: str, asked: Slot | None, booking: Booking) -> dict[Slot, str]:
    """The slots that `words` fill: those said beyond doubt, and the one that was `asked` for if a bare word may be it.

    A bare number that answers no question corrects what `booking` already has: "no, make it eight".
    """
    found: dict[Slot, str] = {}
    # The order is that of certainty: "for friday at eight" must lose its day and its time before "for" means people.
    finders: dict[Slot, Callable[[str], Taken]] = {
        "name": find_name,
        "day": find_day,
        "time": find_time,
        "party_size": find_party_size,
    }
    left = words
    for slot, find in finders.items():
        value, left = find(left)
        if value:
            found[slot] = value
    guess = asked if asked in _BARE else _slot_of_bare_number(booking)
    if guess and guess not in found and (guess == asked or not found):
        value = _BARE[guess](left).value
        if value and value != booking.filled().get(guess):
            found[guess] = value
    return found


def _slot_of_bare_number(booking: Booking) -> Slot | None:
    """A bare number means the time rather than the party: hours are what callers change."""
    return "time" if booking.time else "party_size" if booking.party_size else None
