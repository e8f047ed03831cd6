"""Validation errors as one readable line that says where each wrong value came from."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["complaint"]


def complaint(error: ValidationError, sources: Mapping[str, str] | None = None) -> str:
    """Every problem of `error`; never the values, which may be secrets."""
    return "; ".join(_one(detail, sources or {}) for detail in error.errors(include_input=False, include_url=False))


def _one(detail: ErrorDetails, sources: Mapping[str, str]) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    source = sources.get(name)
    subject = f"{name} ({source})" if source else name
    return f"{subject}: {message}" if subject else message
