"""How warm, how often, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field

from warmline.connections.http.socket_options import SocketCare
from warmline.errors import ConfigError

__all__ = ["WarmSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSettings:
    """What a warm origin keeps.

    Attributes:
        floor: connections that stand ready beside those in use; at least as many as requests come at once.
        touch_interval_sec: a light request on each idle connection, up to a tenth earlier. Below the idle limit of
            everything on the way: load balancers drop silent flows after 4 minutes, some servers after one.
        max_idle_sec: a connection that was not proven for so long is not used; longer than the touch.
        open_timeout_sec: opening one, and then proving it. touch_timeout_sec: one touch.
        prime_timeout_sec: proving or touching one by a completion, which is as slow as the model.
        drain_ms: how long the rest of a response may take to come, after its reader has gone, before the connection
            is given up. SDKs that leave at `[DONE]` without the last chunk would lose every connection otherwise.
        repeat_generations: a POST that generates text, by the end of its path (`/chat/completions`, `/completions`,
            `/responses`, `/embeddings`), is sent once more when the server closed the connection as it left. For plain
            HTTP clients, of which nobody knows what such a path means; the SDK's are always treated so.
        dns_ttl_sec: age at which an address is not believed any more; it is looked up again at half of that.
        care: socket options.

    Raises:
        ConfigError: the idle limit is not above the touch.
    """

    floor: int = 2
    touch_interval_sec: float = 50.0
    max_idle_sec: float = 120.0
    open_timeout_sec: float = 10.0
    touch_timeout_sec: float = 10.0
    prime_timeout_sec: float = 60.0
    drain_ms: float = 50.0
    repeat_generations: bool = False
    dns_ttl_sec: float = 60.0
    care: SocketCare = field(default_factory=SocketCare)

    def __post_init__(self) -> None:
        if self.max_idle_sec <= self.touch_interval_sec:
            raise ConfigError(
                f"max_idle_sec={self.max_idle_sec:g}: expected more than touch_interval_sec={self.touch_interval_sec:g}"
            )
