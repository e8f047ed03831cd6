"""`warmline doctor`: what is cold here, and what to do about it."""

import asyncio
import os
from pathlib import Path

import click

from warmline.cli.doctor_report import print_llm, write_llm
from warmline.cli.extras import missing_extra
from warmline.emulators import EmulatorProcess
from warmline.measure import LlmFindings, LlmTarget, probe_llm

__all__ = ["doctor"]

_FIRST_TOKEN_MS = 50.0


@click.group()
def doctor() -> None:
    """Find what is cold, and what to do about it."""


@doctor.command()
@click.option("--model", metavar="NAME", help="model or deployment.  [default: OPENAI_MODEL, AZURE_OPENAI_DEPLOYMENT]")
@click.option("--emulate", is_flag=True, help="probe an emulated server, over TLS and a distance; needs no account.")
@click.option(
    "--rtt", type=click.FloatRange(0, 1000), default=100.0, metavar="MS", help="its round trip.  [default: 100]"
)
@click.option("--rounds", type=click.IntRange(1, 50), default=3, metavar="N", help="measure N times.  [default: 3]")
@click.option(
    "--idle", type=click.FloatRange(0, 3600), default=6.0, metavar="SEC", help="how long to idle.  [default: 6]"
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="write all of it (-: standard output)."
)
def llm(model: str | None, emulate: bool, rtt: float, rounds: int, idle: float, json_file: Path | None) -> None:
    """Measure how long requests to a language model wait for their connection.

    The server is that of AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION, else that of
    OPENAI_BASE_URL and OPENAI_API_KEY. Each round sends six short requests, one of them broken off; they cost a few
    hundred tokens.
    """
    with missing_extra("openai"):
        import openai  # noqa: F401  # here, so that its absence is told before anything is started

    findings = asyncio.run(_probe_emulated(rtt, rounds, idle) if emulate else _probe_own(model, rounds, idle))
    if json_file is not None:
        write_llm(json_file, findings)
    if json_file != Path("-"):
        print_llm(findings)


async def _probe_own(model: str | None, rounds: int, idle_sec: float) -> LlmFindings:
    return await _probe(LlmTarget.from_environment(os.environ, model), rounds, idle_sec)


async def _probe_emulated(rtt_ms: float, rounds: int, idle_sec: float) -> LlmFindings:
    with missing_extra("emulators-tls"):
        import trustme  # noqa: F401  # the emulator, a process of its own, needs it
    emulator = await EmulatorProcess.start(
        first_token_ms=_FIRST_TOKEN_MS, token_interval_ms=20, tls=True, options=[f"--rtt={rtt_ms:g}ms"]
    )
    async with emulator:
        target = LlmTarget(url=emulator.url, model="receptionist", api_key="none", ca_file=emulator.ca_file)
        return await _probe(target, rounds, idle_sec)


async def _probe(target: LlmTarget, rounds: int, idle_sec: float) -> LlmFindings:
    def tell(number: int) -> None:
        click.echo(f"round {number + 1} of {rounds} done", err=True)

    return await probe_llm(target, rounds=rounds, idle_sec=idle_sec, on_round=tell)
