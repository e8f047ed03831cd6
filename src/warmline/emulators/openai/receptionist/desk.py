"""What the receptionist is in the middle of, and what a turn was understood to be."""

from dataclasses import dataclass
from typing import Literal

from warmline.emulators.openai.receptionist.booking import Booking, Slot
from warmline.emulators.openai.receptionist.conversation import Knowledge

__all__ = ["Act", "Asked", "Desk", "Step"]

Asked = Literal["day", "time", "party_size", "name", "confirm", "change", "name_to_cancel", "confirm_cancel"]
Act = Literal[
    "ask", "booked", "dropped", "cancelled", "kept", "fact", "greeting", "how_are_you", "are_you_a_robot", "repeat",
    "thanks", "goodbye", "listening", "unclear",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """`booking` is in the making (or being cancelled), `booked` the last one made; `asked` is the open question."""

    booking: Booking | None = None
    booked: Booking | None = None
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A turn, understood.

    `desk` is the desk after it, `act` what to do (`ask`: put the question `desk.asked`), `filled` the slots that the
    caller's words filled or corrected, `evidence` the words that decided.
    """

    desk: Desk
    intent: str
    act: Act
    filled: tuple[Slot, ...] = ()
    fact: Knowledge | None = None
    evidence: tuple[str, ...] = ()
