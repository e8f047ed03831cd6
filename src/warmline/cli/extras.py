"""Parts that are not installed: which extra brings them."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from warmline.errors import WarmlineError

__all__ = ["MissingExtra", "find_packages", "missing_extra"]


class MissingExtra(WarmlineError):  # noqa: N818 - it names what is missing
    """A command needs packages that a plain `pip install warmline` does not bring."""


@contextmanager
def missing_extra(extras: str) -> Iterator[None]:
    """Imports of other people's packages that fail in here are explained by the extras that bring them.

    Raises:
        MissingExtra: a package is missing. A missing module of our own is a defect, and stays what it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "warmline"):
            raise
        raise MissingExtra(f"{package} is not installed; run: pip install 'warmline[{extras}]'") from error


def find_packages(*names: str) -> None:
    """Look for packages that will be imported later, when nobody would explain what is missing.

    Raises:
        ModuleNotFoundError: one is not installed.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"no package {name}", name=name)
