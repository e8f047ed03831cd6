"""A group of commands that knows their names and summaries without importing them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from warmline.cli.extras import missing_extra
from warmline.cli.uncollected import uncollected

__all__ = ["Deferred", "LazyGroup"]


@dataclass(frozen=True, slots=True)
class Deferred:
    """A command to import when it is called: `target` is `module:attribute`, `extras` what its imports need."""

    target: str
    extras: str
    summary: str

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            MissingExtra: it needs a package that is not installed.
        """
        module, _, attribute = self.target.partition(":")
        with missing_extra(self.extras), uncollected():
            command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """Lists its commands from a table, and imports the one that is called."""

    def __init__(self, *args: Any, deferred: Mapping[str, Deferred], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deferred = dict(deferred)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self._deferred)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The real command."""
        deferred = self._deferred.get(cmd_name)
        return deferred.load() if deferred else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries from the table: help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, deferred.summary) for name, deferred in self._deferred.items()])
