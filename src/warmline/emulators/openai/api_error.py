"""Errors in the shape in which OpenAI sends them."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ["ApiError", "api_error_response", "http_error_response"]


class ApiError(Exception):
    """A request that is refused, with the fields of OpenAI's error object.

    Source: https://platform.openai.com/docs/guides/error-codes and the errors that openai-python parses.
    """

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


async def api_error_response(_request: Request, error: Exception) -> JSONResponse:
    """The response to an `ApiError`."""
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(_body(error.message, error.param, error.code), error.status)


async def http_error_response(request: Request, error: Exception) -> JSONResponse:
    """The response to a path or a method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    where = f"{request.method} {request.url.path}"
    if error.status_code == 405:
        body = _body(f"Not allowed to {request.method} on {request.url.path}.", None, "method_not_supported")
    else:
        body = _body(f"Invalid URL ({where})", None, "unknown_url")
    return JSONResponse(body, error.status_code, headers=error.headers)


def _body(message: str, param: str | None, code: str | None) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
