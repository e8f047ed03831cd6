"""All that an emulator is told, and what it has counted."""

from dataclasses import dataclass, field

from warmline.emulators.openai.faults import FaultSwitch
from warmline.emulators.openai.pace import Pace
from warmline.emulators.openai.prompt_cache import PromptCache
from warmline.emulators.openai.traffic import Traffic

__all__ = ["IDLE_CLOSE_SEC", "MAX_BODY_BYTES", "Emulation"]

MAX_BODY_BYTES = 1024 * 1024

# Cloudflare keeps idle client connections for 400 s, and OpenAI's API is served from behind it:
# https://developers.cloudflare.com/fundamentals/reference/connection-limits/
IDLE_CLOSE_SEC = 400.0


@dataclass(slots=True)
class Emulation:
    """Shared by the endpoints, the connections and the control path of one emulator.

    `keys` None accepts any key, also none at all; `models` and `deployments` None serve every name.
    `realtime_limit_sec` is how long a realtime session may last; OpenAI documents 60 minutes.
    """

    pace: Pace = field(default_factory=Pace)
    keys: frozenset[str] | None = field(default=None, repr=False)
    models: frozenset[str] | None = None
    deployments: frozenset[str] | None = None
    prompt_cache: PromptCache | None = None
    realtime_limit_sec: float = 3600.0
    max_body_bytes: int = MAX_BODY_BYTES
    faults: FaultSwitch = field(default_factory=lambda: FaultSwitch(IDLE_CLOSE_SEC))
    traffic: Traffic = field(default_factory=Traffic)
