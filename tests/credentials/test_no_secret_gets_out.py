"""Every key and token, looked for in all that anybody may come to see: logs, reprs, errors, snapshots, events."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.credentials import azure_credentials
from tests.credentials.azure_credentials import FLOWS, on_this_machine
from tests.credentials.endpoint import CLIENT_SECRET, KEY, SECRETS
from warmline.credentials import AzureIdentity, CauseWithheld, KeyExchange, RefreshPolicy, StaticKey, TokenKeeper
from warmline.credentials.redaction import safe_cause
from warmline.errors import CredentialError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.credentials.endpoint import TokenEndpoint

QUICK = RefreshPolicy(fetch_timeout_sec=0.2, retry_min_sec=0.01, retry_max_sec=0.05)
FAULTS = (None, "echo", "echo 503", 503, "garbage", "hang")


class Seen(logging.Handler):
    """All that was logged by anybody at DEBUG, and all that was shown otherwise."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append((record.name, logging.Formatter().format(record)))

    def show(self, *things: Any) -> None:
        for thing in things:
            self.texts.append(("shown", f"{thing!r} {thing!s} {thing}"))
            if isinstance(thing, BaseException):
                lines = traceback.TracebackException.from_exception(thing, capture_locals=True).format()
                self.texts.append(("shown", "".join(lines)))

    def leaks(self) -> list[tuple[str, str]]:
        return [(name, text) for name, text in self.texts if any(secret in text for secret in SECRETS)]


@pytest.fixture
def seen() -> Iterator[Seen]:
    root, handler = logging.getLogger(), Seen()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize(
    ("flow", "fault"),
    [*((flow, fault) for flow in (*FLOWS, "key exchange") for fault in FAULTS), ("static key", None)],
)
def test_nothing_that_is_shown_holds_a_secret(
    flow: str, fault: Any, seen: Seen, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_this_machine(monkeypatch)
    endpoint: TokenEndpoint = request.getfixturevalue("entra" if flow in FLOWS[2:] else "endpoint")
    source = source_of(flow, endpoint, monkeypatch, tmp_path)
    endpoint.fault = fault

    async def main() -> None:
        events: list[Any] = []
        policy, patience_sec = (QUICK, 0.3) if fault else (None, 20.0)
        async with TokenKeeper(source, policy=policy, name="llm", on_event=events.append) as keeper:
            try:
                token = await keeper.token(timeout=patience_sec)
                keeper.refused(token.value)
                seen.show(keeper.token_credential().get_token("x"), token, keeper.token_credential())
                seen.show(await keeper.refresh())
            except CredentialError as error:
                assert fault
                # Who reports errors shows local variables as well, ours and those of the libraries below.
                seen.show(error)
            seen.show(keeper, source, keeper.gate, json.dumps(keeper.snapshot()), *events)
            seen.show(*(dataclasses.asdict(event) for event in events))
        seen.show(keeper, keeper.gate, keeper.snapshot())

    asyncio.run(main())
    assert len(seen.texts) > 5
    # azure-identity logs an endpoint's own words as a warning: what an endpoint quotes there is not ours to keep back.
    quoting = fault in ("echo", "echo 503", "garbage")
    assert [leak for leak in seen.leaks() if not (quoting and leak[0].startswith(("azure.", "msal")))] == []


def source_of(flow: str, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:
    match flow:
        case "static key":
            return StaticKey(KEY)
        case "key exchange":
            return KeyExchange(KEY, url=f"{endpoint.url}/sts/v1.0/issueToken")
        case "app service":
            return AzureIdentity(azure_credentials.app_service(endpoint, monkeypatch))
        case "instance metadata":
            return AzureIdentity(azure_credentials.instance_metadata(endpoint, monkeypatch))
        case "workload identity":
            return AzureIdentity(azure_credentials.workload_identity(endpoint, folder))
    return AzureIdentity(azure_credentials.client_secret(endpoint), secrets=[CLIENT_SECRET])


def test_the_search_would_find_one(seen: Seen) -> None:
    logging.getLogger("azure.x").debug("key %s", KEY)
    try:
        secret_in_a_local_variable = KEY
        raise ValueError("innocent")
    except ValueError as error:
        seen.show(error)
    assert [name for name, _ in seen.leaks()] == ["azure.x", "shown"]
    del secret_in_a_local_variable


@pytest.mark.parametrize(
    "quoting",
    [
        ValueError("body client_secret=a%2Fsecret%3D"),
        ValueError("plain a/secret="),
        ValueError(b"bytes a/secret="),
        KeyError("a/secret="),
        ValueError("a token eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.sig"),
    ],
)
def test_a_cause_that_quotes_is_withheld_wherever_it_is(quoting: Exception) -> None:
    outer, group = OSError("outer"), ExceptionGroup("group", [OSError("x"), quoting])
    outer.__context__ = OSError("between")
    outer.__context__.__cause__ = quoting
    noted = OSError("noted")
    noted.add_note(str(quoting))
    for error in (quoting, outer, group, noted):
        assert isinstance(safe_cause(error, ["a/secret="]), CauseWithheld)
    innocent = OSError("innocent")
    assert safe_cause(innocent, ["a/secret=", "", "x"]) is innocent
