"""The ASGI application: an OpenAI-compatible API in front of the receptionist."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from warmline.emulators.openai.api_error import ApiError, api_error_response, http_error_response
from warmline.emulators.openai.chat_completions import ChatCompletions
from warmline.emulators.openai.models import get_model, list_models
from warmline.emulators.openai.pace import Pace

__all__ = ["MAX_BODY_BYTES", "create_app"]

MAX_BODY_BYTES = 1024 * 1024


def create_app(pace: Pace, *, max_body_bytes: int = MAX_BODY_BYTES) -> Starlette:
    """An application that answers at `pace`. Any API key is accepted, also none."""
    complete = ChatCompletions(pace, max_body_bytes)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete.__call__, methods=["POST"]),
            Route("/v1/models", list_models, methods=["GET"]),
            Route("/v1/models/{model:path}", get_model, methods=["GET"]),
        ],
        exception_handlers={ApiError: api_error_response, HTTPException: http_error_response},
    )
