"""WebSocket sessions opened and configured before the call that will need one."""

from warmline.connections.websocket.park import ParkSettings, SocketPark
from warmline.connections.websocket.parked_socket import ParkedSocket
from warmline.connections.websocket.realtime import RealtimeProfile, park_realtime

__all__ = ["ParkSettings", "ParkedSocket", "RealtimeProfile", "SocketPark", "park_realtime"]
