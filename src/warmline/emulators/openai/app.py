"""The ASGI application: an OpenAI-compatible API in front of the receptionist, under OpenAI's paths and Azure's."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from warmline.emulators.openai.api_error import ApiError, api_error_response, http_error_response
from warmline.emulators.openai.broken_answer import BrokenAnswer
from warmline.emulators.openai.chat_completions import ChatCompletions
from warmline.emulators.openai.emulation import Emulation
from warmline.emulators.openai.gate import Gate
from warmline.emulators.openai.models import Models
from warmline.emulators.openai.realtime import Realtime
from warmline.emulators.openai.responses import Responses

__all__ = ["create_app"]

# Azure serves OpenAI's own paths under a prefix, and its older ones with a deployment and a version.
# https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
_PREFIXES = ("/v1", "/openai/v1")
_DEPLOYMENT = "/openai/deployments/{deployment}"


def create_app(emulation: Emulation) -> ASGIApp:
    """An application that answers as it is told to by `emulation`."""
    chat, respond, realtime = ChatCompletions(emulation), Responses(emulation), Realtime(emulation)
    models, azure = Models(emulation), _Azure(emulation, chat)
    routes: list[BaseRoute] = [
        Route(f"{_DEPLOYMENT}/chat/completions", azure.complete, methods=["POST"]),
        Route("/openai/models", azure.models, methods=["GET"]),
        WebSocketRoute("/openai/realtime", realtime.__call__),
    ]
    for prefix in _PREFIXES:
        routes += [
            Route(f"{prefix}/chat/completions", chat.__call__, methods=["POST"]),
            Route(f"{prefix}/responses", respond.__call__, methods=["POST"]),
            Route(f"{prefix}/models", models.listed, methods=["GET"]),
            Route(f"{prefix}/models/{{model:path}}", models.one, methods=["GET"]),
            WebSocketRoute(f"{prefix}/realtime", realtime.__call__),
        ]
    api = Starlette(
        routes=routes, exception_handlers={ApiError: api_error_response, HTTPException: http_error_response}
    )
    return Gate(BrokenAnswer(api, emulation), emulation)


class _Azure:
    """What is served in a version: chat completions of a deployment that exists, models that could be deployed."""

    def __init__(self, emulation: Emulation, chat: ChatCompletions) -> None:
        self._emulation = emulation
        self._chat = chat
        self._models = Models(emulation)

    async def complete(self, request: Request) -> Response:
        _check_version(request)
        served = self._emulation.deployments
        if served is not None and request.path_params["deployment"] not in served:
            raise ApiError(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")
        return await self._chat(request)

    async def models(self, request: Request) -> JSONResponse:
        _check_version(request)
        return await self._models.listed(request)


def _check_version(request: Request) -> None:
    if not request.query_params.get("api-version"):
        raise ApiError(404, "Resource not found", code="404")
