"""One call: what it holds, its turns and their stages."""

from warmline.session.session import Session
from warmline.session.turns import Stage, TurnLog

__all__ = ["Session", "Stage", "TurnLog"]
