"""What `warmline doctor` shows: a table and a line of advice for a person, JSON for a program."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from warmline.errors import ConfigError
from warmline.measure import LlmFindings, LlmRequest, LlmState, advice_for, gain_of, median
from warmline.report import markdown_table

__all__ = ["print_llm", "write_llm"]

_MEANS = {
    LlmState.COLD: "a new client",
    LlmState.CONNECTED: "it has listed the models",
    LlmState.EXERCISED: "it has streamed an answer",
    LlmState.IDLE: "{idle:g} s without a request",
    LlmState.BARGE_IN: "an answer was broken off",
}


def print_llm(findings: LlmFindings) -> None:
    """The states, and what to do."""
    rows = [
        [state.value, _MEANS[state].format(idle=findings.idle_sec), *_figures(findings.requests[state])]
        for state in LlmState
    ]
    headers = ["state", "the client", "name and TCP ms", "TLS ms", "first words ms", "reused"]
    click.echo(markdown_table(headers, rows, text_columns=2))
    click.echo(advice_for(findings))


def write_llm(path: Path, findings: LlmFindings) -> None:
    """Everything, as JSON; `-` is standard output.

    Raises:
        ConfigError: the file cannot be written.
    """
    document = {**asdict(findings), "gain": asdict(gain_of(findings)), "advice": advice_for(findings)}
    text = json.dumps(document, indent=2)
    if path == Path("-"):
        click.echo(text)
        return
    try:
        path.write_text(text + "\n")
    except OSError as failure:
        raise ConfigError(f"{path}: cannot be written: {failure.strerror}") from failure


def _figures(requests: Sequence[LlmRequest]) -> list[str]:
    reused = sum(request.connect_ms is None for request in requests)
    return [
        _median([request.connect_ms for request in requests]),
        _median([request.tls_ms for request in requests]),
        _median([request.first_event_ms for request in requests]),
        f"{reused} of {len(requests)}",
    ]


def _median(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.0f}" if known else "-"
