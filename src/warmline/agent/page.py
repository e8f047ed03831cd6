"""The page at `/`: static files, served exactly as they lie in `page/`, under a strict content security policy."""

import hashlib
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import PurePosixPath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["page_routes"]

# Not from `mimetypes`: that asks the machine, and a wrong answer stops every module under `nosniff`.
_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# `'self'` covers modules, AudioWorklets (script-src) and the WebSocket of the same origin (connect-src, CSP 3).
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Kept, but asked after: a page of one version must never run modules of another.
    "Cache-Control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """Routes of the page: `index.html` at `/`, every other file at `/page/<name>`.

    The files are read once, here. Answers carry an `ETag`; a request that names it in `If-None-Match` gets 304.
    """
    folder = resources.files("warmline.agent").joinpath("page")
    files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if _media_type(entry.name)}
    return [Route(_path(name), _endpoint(name, body), methods=["GET"]) for name, body in sorted(files.items())]


def _path(name: str) -> str:
    return "/" if name == "index.html" else f"/page/{name}"


def _media_type(name: str) -> str | None:
    return _MEDIA_TYPES.get(PurePosixPath(name).suffix)


def _endpoint(name: str, body: bytes) -> Callable[[Request], Awaitable[Response]]:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": etag}

    async def serve(request: Request) -> Response:
        if etag in _etags(request):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=_media_type(name), headers=headers)

    return serve


def _etags(request: Request) -> set[str]:
    named = request.headers.get("if-none-match", "").split(",")
    return {tag.strip().removeprefix("W/") for tag in named}
