"""A dialler as httpcore's network backend and stream, for the parts of httpcore that open sockets or use one."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from warmline.connections.http.dial import Dialler
    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.wire import Wire

__all__ = ["NetworkBackend", "NetworkStream"]


class NetworkStream:
    """`httpcore.AsyncNetworkStream` over a `Wire`."""

    def __init__(self, dialect: Dialect, dialler: Dialler) -> None:
        assert dialler.wire is not None
        self._core = dialect.core
        self._dialler = dialler
        self._wire: Wire = dialler.wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes; none at the end."""
        try:
            async with asyncio.timeout(timeout):
                return await self._wire.read(max_bytes)
        except TimeoutError as error:
            raise self._core.ReadTimeout(f"no byte within {timeout} s") from error
        except OSError as error:
            raise self._core.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send it all."""
        if not buffer:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._wire.write(buffer)
        except TimeoutError as error:
            raise self._core.WriteTimeout(f"not sent within {timeout} s") from error
        except OSError as error:
            raise self._core.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close the socket."""
        await self._wire.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """The same stream, encrypted from here on."""
        try:
            async with asyncio.timeout(timeout):
                await self._dialler.encrypt(ssl_context, server_hostname, timeout)
        except TimeoutError as error:
            raise self._core.ConnectTimeout(f"no TLS within {timeout} s") from error
        except (ssl.SSLError, OSError) as error:
            raise self._core.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`, `ssl_object`, `socket`, `client_addr`, `server_addr`."""
        if info == "is_readable":
            return self._wire.unexpected
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._wire.extra(names.get(info, info))


class NetworkBackend:
    """`httpcore.AsyncNetworkBackend` that opens each socket through a `Dialler`."""

    def __init__(self, dialect: Dialect, dialler: Callable[[], Dialler]) -> None:
        self._dialect = dialect
        self._dialler = dialler

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """Resolve and connect; socket options are the dialler's."""
        core, dialler = self._dialect.core, self._dialler()
        try:
            async with asyncio.timeout(timeout):
                await dialler.connect(host, port)
        except TimeoutError as error:
            raise core.ConnectTimeout(f"no connection within {timeout} s") from error
        except OSError as error:
            raise core.ConnectError(str(error)) from error
        return NetworkStream(self._dialect, dialler)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> Any:
        """Unix sockets need no warmth."""
        raise self._dialect.core.UnsupportedProtocol(f"a unix socket ({path}) is not kept warm")

    async def sleep(self, seconds: float) -> None:
        """Between attempts of httpcore's own."""
        await asyncio.sleep(seconds)
