"""The body of a request, up to a size, and when it had come."""

import time

from starlette.requests import Request

from warmline.emulators.openai.api_error import ApiError

__all__ = ["arrived_sec", "read_body"]


async def read_body(request: Request, max_bytes: int) -> bytes:
    """All of it.

    Raises:
        ApiError: it is larger than `max_bytes`.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise ApiError(413, f"Maximum content size limit ({max_bytes}) exceeded.")
    return bytes(body)


def arrived_sec(request: Request) -> float:
    """When the last bytes of a request came that has been read; monotonic.

    No model begins to answer what it has only half received: from here its time counts.
    """
    connection = request.scope.get("warmline.connection")
    return time.monotonic() if connection is None else float(connection.heard_at_sec)
