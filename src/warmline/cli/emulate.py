"""`warmline emulate`: providers' stand-ins, on this machine."""

import click

from warmline.cli.extras import missing_extra

__all__ = ["emulate"]


@click.group()
def emulate() -> None:
    """Run a stand-in for a provider."""


@emulate.command(
    "openai",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulate_openai(arguments: tuple[str, ...]) -> int | None:
    """Run an OpenAI-compatible server with a rule-based model; its own --help lists its options."""
    with missing_extra("emulators"):
        from warmline.emulators.openai import main
    return main(arguments)
