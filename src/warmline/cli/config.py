"""`warmline config`: what is set, and by what."""

import json
import os
from dataclasses import asdict

import click

from warmline.cli.setting_options import takes_settings
from warmline.settings import Explained, Settings, explain, misspelt_variables

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show settings and where they came from."""


@config.command("explain")
@click.option("--json", "as_json", is_flag=True, help="machine-readable: a list of name, value, source, meaning.")
@takes_settings
def explain_settings(settings: Settings, as_json: bool) -> None:
    """Show every setting: its value, where it came from, what it means.

    Takes the options of `warmline serve` and shows what that would run with. Secrets are shown as set or unset.
    """
    for line in misspelt_variables(os.environ):
        click.echo(f"warmline: {line}", err=True)
    explained = explain(settings)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in explained], indent=2))
    else:
        _print(explained)


def _print(explained: list[Explained]) -> None:
    """Two lines a setting; what was chosen stands out from what is a default."""
    for each in explained:
        chosen = each.source != "default"
        click.echo(f"{click.style(each.name, bold=chosen)} = {click.style(each.value, bold=chosen)}  [{each.source}]")
        click.secho(f"    {each.meaning}", dim=True)
