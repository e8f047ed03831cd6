"""`warmline call`: call a voice agent, and measure it at the ear."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path

import click

from warmline.cli.call_pauses import Pause, parse_pause
from warmline.cli.call_plans import plan_calls, read_scripts
from warmline.cli.call_report import print_calls, progress_line, write_json
from warmline.cli.spawned_calls import place_spawned_calls
from warmline.measure import Caller, CallPlan, CallResult, place_calls, summarize
from warmline.settings import read_token_file

__all__ = ["call"]

_FILE = click.Path(path_type=Path)
_COUNT = click.IntRange(1)
_POSITIVE = click.FloatRange(0, min_open=True)
_FAILED, _UNEXPECTED = 1, 3


@click.command()
@click.argument("url", default="ws://127.0.0.1:7860/ws")
@click.option("--script", "scripts", type=_FILE, multiple=True, metavar="FILE", help="TOML file of a call; repeatable.")
@click.option("--say", "sentences", multiple=True, metavar="TEXT", help="say this; one turn each, repeatable.")
@click.option(
    "--expect", multiple=True, metavar="REGEX", help="what the replies to --say contain; one for all or each."
)
@click.option(
    "--voice", metavar="NAME", help="slt, rms, awb, espeak, or a .wav file to play every turn.  [default: slt]"
)
@click.option(
    "--turns", type=click.IntRange(0), metavar="N", help="cut the script short, or say it again; 0: greeting only."
)
@click.option("--calls", type=_COUNT, metavar="N", help="how many calls, script after script.  [default: one a script]")
@click.option("--parallel", type=_COUNT, default=1, metavar="N", help="how many calls at a time.  [default: 1]")
@click.option("--rate", type=_POSITIVE, metavar="R", help="at most R calls begin per second.")
@click.option(
    "--barge-in", type=click.FloatRange(0), metavar="MS", help="interrupt an answer MS after it is first heard."
)
@click.option(
    "--pause", "pauses", type=parse_pause, multiple=True, metavar="SEC[@TURN]",
    help="be silent for SEC before this turn, or before every turn but the first; repeatable.",
)  # fmt: skip
@click.option(
    "--turn-timeout", type=_POSITIVE, default=15.0, metavar="SEC", help="wait so long for an answer.  [default: 15]"
)
@click.option("--ticket-file", type=_FILE, metavar="FILE", help="file that holds the agent's token.")
@click.option(
    "--spawn", metavar="COMMAND", help="start this (no shell) for every call; the greeting counts from there."
)
@click.option(
    "--json", "json_file", type=_FILE, metavar="FILE", help="write all that was measured (-: standard output)."
)
def call(
    url: str,
    scripts: tuple[Path, ...],
    sentences: tuple[str, ...],
    expect: tuple[str, ...],
    voice: str | None,
    turns: int | None,
    calls: int | None,
    parallel: int,
    rate: float | None,
    barge_in: float | None,
    pauses: tuple[Pause, ...],
    turn_timeout: float,
    ticket_file: Path | None,
    spawn: str | None,
    json_file: Path | None,
) -> int:
    """Call the voice agent at URL (ws://host:port/ws) in real time, and measure it at the caller's ear.

    Voice-to-voice time runs from the last sample above -40 dBFS that was said to the first above -40 dBFS of the speech
    that is heard; the greeting's, from the start of the connection. What was heard is checked against what the agent
    says it sent. Told nothing, it asks for the opening hours five times.

    Exit status: 0 when every call was completed and every reply was as expected; 1 when a call failed, a turn was not
    answered or the protocol was broken; 2 for a wrong option or file; 3 when calls were completed, but a reply was not
    as expected.
    """
    if spawn is not None and (parallel > 1 or rate is not None):
        raise click.UsageError("--spawn starts one server after the other: it cannot go with --parallel or --rate")
    plans = plan_calls(
        read_scripts(scripts, sentences, expect),
        voice=voice,
        turns=turns,
        calls=calls,
        barge_in_ms=barge_in,
        pauses=pauses,
        turn_timeout_sec=turn_timeout,
    )
    caller = Caller(websocket_url(url), ticket=read_token_file(ticket_file) if ticket_file else None)
    results = _measure(_place(caller, plans, parallel, rate, spawn))
    _tell(results, json_file)
    return _exit_status(results)


def websocket_url(url: str) -> str:
    """The address as a person may give it (host:port, or the page's) as that of the call."""
    scheme, separator, rest = url.rpartition("://")
    secure = scheme in ("https", "wss")
    if separator and scheme not in ("ws", "wss", "http", "https"):
        raise click.BadParameter(f"expected ws:// or wss://, found {scheme}://", param_hint="URL")
    host, _, path = rest.partition("/")
    return f"{'wss' if secure else 'ws'}://{host}/{path or 'ws'}"


def _measure(placing: Coroutine[object, object, list[CallResult]]) -> list[CallResult]:
    try:
        return asyncio.run(placing)
    except asyncio.CancelledError:
        raise click.Abort from None


def _tell(results: Sequence[CallResult], json_file: Path | None) -> None:
    if json_file is not None:
        write_json(json_file, results)
    if json_file != Path("-"):
        print_calls(results, summarize(results))


async def _place(
    caller: Caller, plans: Sequence[CallPlan], parallel: int, rate: float | None, spawn: str | None
) -> list[CallResult]:
    def tell(number: int, result: CallResult) -> None:
        if len(plans) > 1:
            click.echo(f"call {number + 1} of {len(plans)}: {progress_line(result)}", err=True)

    if spawn is not None:
        return await place_spawned_calls(caller, plans, spawn, on_result=tell)
    return await place_calls(caller, plans, parallel=parallel, calls_per_sec=rate, on_result=tell)


def _exit_status(results: Sequence[CallResult]) -> int:
    if not all(result.completed for result in results):
        return _FAILED
    return 0 if all(result.expectations_held for result in results) else _UNEXPECTED
