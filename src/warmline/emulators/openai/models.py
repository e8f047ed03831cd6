"""`GET /v1/models` and `/v1/models/{id}`, and what is said of a model that there is not."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from warmline.emulators.openai.api_error import ApiError
from warmline.emulators.openai.emulation import Emulation

__all__ = ["EMULATED_MODEL", "Models", "check_model"]

EMULATED_MODEL = "receptionist"

# When the emulated model was made, in seconds since the epoch: 2026-01-01.
_CREATED = 1767225600


class Models:
    """The models of one emulation: whatever their names, the same receptionist."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def listed(self, _request: Request) -> JSONResponse:
        """Those that are served; where every name is, one."""
        names = self._emulation.models
        served = [EMULATED_MODEL] if names is None else sorted(names)
        return JSONResponse({"object": "list", "data": [_model(name) for name in served]})

    async def one(self, request: Request) -> JSONResponse:
        """Any model that is served.

        Raises:
            ApiError: it is not.
        """
        name = request.path_params["model"]
        check_model(self._emulation, name)
        return JSONResponse(_model(name))


def check_model(emulation: Emulation, name: str) -> None:
    """Make sure that a request may ask for the model of that name.

    Raises:
        ApiError: there is none.
    """
    if emulation.models is not None and name not in emulation.models:
        raise ApiError(
            404, f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found"
        )


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "warmline"}
