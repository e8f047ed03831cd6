"""The command's tree. Commands load when they are called, so that `warmline --help` costs nothing."""

import click

from warmline import __version__
from warmline.cli.lazy_group import Deferred, LazyGroup

__all__ = ["warmline"]

_COMMANDS = {
    "serve": Deferred("warmline.cli.serve:serve", "agent,local", "Run the voice agent."),
    "call": Deferred("warmline.cli.call:call", "agent", "Call a voice agent and measure it at the ear."),
    "doctor": Deferred("warmline.cli.doctor:doctor", "agent", "Find what is cold, and what to do about it."),
    "config": Deferred("warmline.cli.config:config", "cli", "Show settings and where they came from."),
    "cache": Deferred("warmline.cli.cache:cache", "cli", "Show or clear what is kept on disk between starts."),
    "emulate": Deferred("warmline.cli.emulate:emulate", "emulators", "Run a stand-in for a provider."),
}


@click.group(cls=LazyGroup, deferred=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="warmline")
def warmline() -> None:
    """A voice agent whose first turn is as fast as its hundredth."""
