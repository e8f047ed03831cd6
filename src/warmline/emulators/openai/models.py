"""`GET /v1/models` and `/v1/models/{id}`."""

from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ["EMULATED_MODEL", "get_model", "list_models"]

EMULATED_MODEL = "receptionist"

# When the emulated model was made, in seconds since the epoch: 2026-01-01.
_CREATED = 1767225600


async def list_models(_request: Request) -> JSONResponse:
    """The one model there is."""
    return JSONResponse({"object": "list", "data": [_model(EMULATED_MODEL)]})


async def get_model(request: Request) -> JSONResponse:
    """Any model: every name is served, and by the same receptionist."""
    return JSONResponse(_model(request.path_params["model"]))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "warmline"}
