"""From the messages of a request to a reply: a pure function, and why it decided so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from warmline.emulators.openai.receptionist.conversation import Conversation, read_conversation
from warmline.emulators.openai.receptionist.desk import Desk, Step
from warmline.emulators.openai.receptionist.replies import explains, word_reply
from warmline.emulators.openai.receptionist.turns import take_turn
from warmline.engines import ChatMessage

__all__ = ["Decision", "decide"]


@dataclass(frozen=True, slots=True)
class Decision:
    """`intent` of the caller's last words, `slots` of the booking that is talked about, the `reply`, and the evidence.

    An intent is a fact's topic with underscores ("opening_hours"), or `book_table`, `book_appointment`,
    `cancel_booking`, `greeting`, `how_are_you`, `are_you_a_robot`, `repeat`, `thanks`, `goodbye`, `listening` (a yes
    to no question) or `unclear`.
    """

    intent: str
    slots: Mapping[str, str]
    reply: str
    evidence: tuple[str, ...]


def decide(messages: Sequence[ChatMessage]) -> Decision:
    """What a receptionist says to the last words of `messages`; the same messages get the same decision.

    Everything is in the messages: the history is taken turn by turn again, so the server keeps nothing.
    """
    conversation = read_conversation(messages)
    if not conversation.exchanges:
        reply = "Hello. How can I help you?"
        return Decision("greeting", {}, reply, ())
    step = _last_step(conversation)
    booking = step.desk.booking or step.desk.booked
    slots = {str(slot): value for slot, value in booking.filled().items()} if booking else {}
    return Decision(step.intent, slots, word_reply(step, conversation), step.evidence)


def _last_step(conversation: Conversation) -> Step:
    *earlier, last = conversation.exchanges
    appointments_only = conversation.takes_appointments_only
    desk = Desk()
    for exchange in earlier:
        step = take_turn(desk, exchange.said, (), appointments_only=appointments_only)
        # The facts of that turn are gone: only its answer tells whether it was understood like this.
        if explains(step, exchange.answered):
            desk = step.desk
    return take_turn(desk, last.said, conversation.knowledge, appointments_only=appointments_only)
