"""The `warmline` command."""

from warmline.cli.main import main

__all__ = ["main"]
