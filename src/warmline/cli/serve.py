"""`warmline serve`: the voice agent."""

import os
import sys

import click

from warmline.cli.extras import find_packages, missing_extra
from warmline.cli.setting_options import takes_settings
from warmline.cli.uncollected import uncollected
from warmline.settings import Settings, load_scenario, misspelt_variables, prepare_cache_dir, start_notes

__all__ = ["serve"]

_LOADED_BY_THE_PLAN = ("onnxruntime", "openai", "pipecat", "starlette", "uvicorn")


@click.command()
@click.option("--explain", "explain_only", is_flag=True, help="show the plan of the warm-up and run nothing.")
@takes_settings
def serve(settings: Settings, explain_only: bool) -> int:
    """Run the voice agent and print the address of its page.

    What answers, unless you choose otherwise: Silero and smart-turn (in Pipecat's wheel) say when the caller has
    finished, pocketsphinx hears, an emulator of an OpenAI-compatible API thinks, espeak-ng speaks. All of them run on
    this machine, need no account and download nothing. With OPENAI_API_KEY set, or with --llm-base-url, a real model
    thinks instead; --llm-base-url embedded keeps the emulator. --ear whisper and --voice kokoro hear and speak with
    models of yours, from files on this machine.

    Everything that the first call needs is loaded, run once and checked before the server is ready (/readyz); --warm
    imports and --cold leave that to the first call, to show what it costs. --explain shows the plan of it.

    SIGTERM lets live calls go on (--drain-grace) and takes no others; Ctrl-C ends at once.

    An option wins over WARMLINE_* in the environment, that over OPENAI_*, that over warmline.toml.
    `warmline config explain` shows what was chosen, and by what.
    """
    scenario = load_scenario(settings.scenario)
    if explain_only:
        from warmline.agent import explain_start

        click.echo(explain_start(settings, scenario), nl=False)
        return 0
    prepare_cache_dir(settings.cache_dir)
    for line in misspelt_variables(os.environ):
        click.echo(f"warmline: {line}", err=True)
    with missing_extra("agent,local"), uncollected():
        find_packages(*_LOADED_BY_THE_PLAN)
        from warmline.agent import serve as serve_agent
    from warmline.cli.warm_up_lines import warm_up_lines

    for line in start_notes(settings):
        click.echo(line)
    return serve_agent(settings, scenario, _say, warm_up_lines(_say))


def _say(line: str) -> None:
    """Whoever waits for a line (a person, a parent process) gets it now."""
    click.echo(line)
    sys.stdout.flush()
