"""HTTP connections that are warm when it counts. See docs/how-to/warm-your-llm-client.md."""

from warmline.connections.http.lazy import WarmGetter, warm_getter
from warmline.connections.http.nearest import NearestTransport
from warmline.connections.http.phases import RequestPhases
from warmline.connections.http.settings import WarmSettings
from warmline.connections.http.socket_options import SocketCare
from warmline.connections.http.sync_transport import SyncWarmTransport
from warmline.connections.http.transport import WarmTransport
from warmline.connections.http.warm import Strategy, transport_of, warm
from warmline.connections.http.warm_up import WarmUp
from warmline.connections.spent import Spent

__all__ = [
    "NearestTransport",
    "RequestPhases",
    "SocketCare",
    "Spent",
    "Strategy",
    "SyncWarmTransport",
    "WarmGetter",
    "WarmSettings",
    "WarmTransport",
    "WarmUp",
    "transport_of",
    "warm",
    "warm_getter",
]
