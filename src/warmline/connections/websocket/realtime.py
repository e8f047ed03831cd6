"""Parked sessions of the OpenAI Realtime API (https://platform.openai.com/docs/guides/realtime), through the SDK."""

from __future__ import annotations

import functools
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from warmline.connections.websocket.park import ParkSettings, SocketPark
from warmline.connections.websocket.parked_socket import ParkedSocket
from warmline.errors import WarmUpFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RealtimeProfile", "park_realtime"]


@dataclass(frozen=True, slots=True)
class RealtimeProfile:
    """What a session is configured for; a call never gets a socket of another profile.

    `session` is the JSON of `session.update`'s session: `RealtimeProfile.of(model, {...})` writes it.
    """

    model: str
    session: str = "{}"

    @classmethod
    def of(cls, model: str, session: Mapping[str, Any]) -> Self:
        """Equal mappings make equal profiles, whatever their order."""
        return cls(model, json.dumps(session, sort_keys=True))


def park_realtime(client: Any, settings: ParkSettings | None = None) -> SocketPark[RealtimeProfile]:
    """A park whose sockets are connected, and their `session.update` confirmed, before a call comes.

    Adopted, `socket.client` is the SDK's own connection: `client.response.create()`, `async for event in client`.

    Args:
        client: an `AsyncOpenAI` or `AsyncAzureOpenAI`; each opening asks it for the credentials of the moment.
    """
    return SocketPark(functools.partial(_open, client), settings)


async def _open(client: Any, profile: RealtimeProfile) -> ParkedSocket:
    options = {"ssl": _tls()} if _is_encrypted(client) else {}
    connection = await client.realtime.connect(model=profile.model, websocket_connection_options=options).enter()
    parked = ParkedSocket(connection._connection, connection)
    try:
        await _expect(parked, "session.created")
        if profile.session != "{}":
            update = {"type": "session.update", "session": json.loads(profile.session)}
            await parked.socket.send(json.dumps(update))
            await _expect(parked, "session.updated")
    except BaseException:
        await parked.aclose()
        raise
    return parked


async def _expect(parked: ParkedSocket, wanted: str) -> None:
    while True:
        event = json.loads(await parked.socket.recv())
        kind = event.get("type")
        parked.events.append(json.dumps(event))
        if kind == wanted:
            return
        if kind == "error":
            code = (event.get("error") or {}).get("code")
            raise WarmUpFailed(f"the session was refused before {wanted}: {code or 'no code given'}")


def _is_encrypted(client: Any) -> bool:
    given = getattr(client, "websocket_base_url", None)
    return not str(given or client.base_url).startswith(("ws://", "http://"))


@functools.cache
def _tls() -> ssl.SSLContext:
    """One a process: each costs about 27 ms to make."""
    return ssl.create_default_context()
