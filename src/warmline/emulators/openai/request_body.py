"""The body of a request, up to a size."""

from starlette.requests import Request

from warmline.emulators.openai.api_error import ApiError

__all__ = ["read_body"]


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
