"""From the options of `warmline call` to what is said in each call."""

import re
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import click

from warmline.cli.call_pauses import Pause, with_pauses
from warmline.measure import DEFAULT_CALL, CallPlan, CallScript, ScriptTurn, Speaker, load_script

__all__ = ["plan_calls", "read_scripts"]


def read_scripts(files: Sequence[Path], sentences: Sequence[str], expected: Sequence[str]) -> list[CallScript]:
    """The scripts of the files, or one of the sentences, or the default call.

    Raises:
        click.UsageError: options contradict each other, or an expectation is no regular expression.
        ConfigError: a file is wrong.
    """
    if files and sentences:
        raise click.UsageError("--script and --say: choose one")
    if expected and not sentences:
        raise click.UsageError("--expect belongs to --say; a script has its own expectations")
    if sentences:
        return [CallScript("said", _said(sentences, expected))]
    return [load_script(file) for file in files] or [DEFAULT_CALL]


def plan_calls(
    scripts: Sequence[CallScript],
    *,
    voice: str | None,
    turns: int | None,
    calls: int | None,
    barge_in_ms: float | None,
    turn_timeout_sec: float,
    pauses: Sequence[Pause] = (),
) -> list[CallPlan]:
    """One plan a call, the scripts in turn. Everything that will be said is synthesized here, before any call.

    Raises:
        ConfigError: the voice cannot speak.
    """
    speaker = Speaker(voice)
    spoken = []
    for script in scripts:
        wanted = len(script.turns) if turns is None else turns
        said = with_pauses(list(islice(cycle(script.turns), wanted)), pauses)
        spoken.append([(turn, speaker.speak(turn)) for turn in said])
    return [
        CallPlan(turns=said, voice=speaker.voice, barge_in_ms=barge_in_ms, turn_timeout_sec=turn_timeout_sec)
        for said in islice(cycle(spoken), calls or len(scripts))
    ]


def _said(sentences: Sequence[str], expected: Sequence[str]) -> tuple[ScriptTurn, ...]:
    if len(expected) not in (0, 1, len(sentences)):
        raise click.UsageError(
            f"{len(expected)} times --expect for {len(sentences)} times --say: give one, or one each"
        )
    patterns: list[re.Pattern[str] | None] = [_pattern(expression) for expression in expected] or [None]
    return tuple(ScriptTurn(say=say, expect=expect) for say, expect in zip(sentences, cycle(patterns), strict=False))


def _pattern(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error as failure:
        raise click.BadParameter(
            f"{expression!r} is no regular expression: {failure}", param_hint="--expect"
        ) from failure
