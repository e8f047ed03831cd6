"""What copies of an Azure client must keep: the SDK's `copy` drops it before 2.7, and always with another base URL."""

from __future__ import annotations

from typing import Any

__all__ = ["as_azure"]


def as_azure(copied: Any, original: Any, base_url: str | None = None) -> Any:
    """`copied`, which asks the resource itself, not its deployment, for what is no deployment's: a list of models.

    Args:
        base_url: of the copy, where it is another than the original's.
    """
    endpoint = getattr(original, "_azure_endpoint", None)
    if endpoint is not None:
        copied._azure_deployment = original._azure_deployment
        copied._azure_endpoint = endpoint if base_url is None else _resource_of(type(endpoint)(base_url))
    return copied


def _resource_of(base_url: Any) -> Any:
    """Below `.../openai` lie the deployments."""
    path: bytes = base_url.raw_path.partition(b"/openai/")[0]
    return base_url.copy_with(raw_path=path or b"/")
