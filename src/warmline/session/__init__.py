"""One call: what it holds, its turns and their stages."""

from warmline.session.session import Emit, Session
from warmline.session.turns import Stage, TurnLog

__all__ = ["Emit", "Session", "Stage", "TurnLog"]
