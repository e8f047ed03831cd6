"""Errors in the shape in which OpenAI sends them."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ["ApiError", "api_error_response", "http_error_response", "refusal"]


class ApiError(Exception):
    """A request that is refused, with the fields of OpenAI's error object.

    Source: https://platform.openai.com/docs/guides/error-codes and the errors that openai-python parses.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = headers

    def as_object(self) -> dict[str, object]:
        """The error object, as it stands in responses and in events."""
        return {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}


async def api_error_response(_request: Request, error: Exception) -> JSONResponse:
    """The response to an `ApiError`."""
    if not isinstance(error, ApiError):
        raise error
    return refusal(error)


def refusal(error: ApiError) -> JSONResponse:
    """The response that says why a request is refused."""
    return JSONResponse({"error": error.as_object()}, error.status, headers=error.headers)


async def http_error_response(request: Request, error: Exception) -> JSONResponse:
    """The response to a path or a method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    where = f"{request.method} {request.url.path}"
    if error.status_code == 405:
        says, code = f"Not allowed to {request.method} on {request.url.path}.", "method_not_supported"
    else:
        says, code = f"Invalid URL ({where})", "unknown_url"
    return refusal(ApiError(error.status_code, says, code=code, headers=error.headers))
