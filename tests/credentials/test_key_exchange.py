"""The key exchange against an endpoint on a real socket."""

from __future__ import annotations

import asyncio
import json
import socket
import traceback
from typing import TYPE_CHECKING

import pytest

from tests.credentials.endpoint import KEY, SECRETS, TOKEN_MARK
from warmline.credentials import CauseWithheld, KeyExchange, RefreshPolicy, StaticKey, TokenKeeper
from warmline.errors import ConfigError, CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    from tests.credentials.endpoint import TokenEndpoint


def exchange(endpoint: TokenEndpoint, key: str = KEY) -> KeyExchange:
    return KeyExchange(key, url=f"{endpoint.url}/sts/v1.0/issueToken")


def failure_of(source: KeyExchange) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        asyncio.run(source.fetch())
    text = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in text]
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_a_key_buys_a_token_of_ten_minutes(endpoint: TokenEndpoint) -> None:
    issued = asyncio.run(exchange(endpoint).fetch())
    assert issued.value.startswith(TOKEN_MARK)
    assert issued.lifetime_sec == 600.0
    assert endpoint.asked == ["/sts/v1.0/issueToken"]


def test_kept_by_a_keeper(endpoint: TokenEndpoint) -> None:
    async def main() -> None:
        async with TokenKeeper(exchange(endpoint), name="speech") as keeper:
            first = await keeper.token()
            second = await keeper.refresh()
            assert (first.epoch, second.epoch) == (1, 2)
            assert endpoint.most_in_flight == 1
            json.dumps(keeper.snapshot())

    asyncio.run(main())


def test_a_wrong_key(endpoint: TokenEndpoint) -> None:
    error = failure_of(exchange(endpoint, "another-key"))
    assert isinstance(error, CredentialRefused)
    assert "refuses the key (401)" in str(error)


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (403, CredentialRefused, "refuses the key"),
        (404, CredentialRefused, "wrong address or region"),
        ("redirect", CredentialRefused, "answers 307"),
        ("echo", CredentialRefused, "refuses the key"),
        (429, CredentialUnreachable, "answers 429"),
        (503, CredentialUnreachable, "answers 503"),
        ("echo 503", CredentialUnreachable, "answers 503"),
        ("garbage", CredentialUnreachable, "no token"),
        ("page", CredentialUnreachable, "no token"),
        ("message", CredentialUnreachable, "no token"),
        ("empty", CredentialUnreachable, "no token"),
    ],
)
def test_an_endpoint_that_fails(
    endpoint: TokenEndpoint, fault: int | str, kind: type[CredentialError], text: str
) -> None:
    endpoint.fault = fault
    error = failure_of(exchange(endpoint))
    assert type(error) is kind
    assert text in str(error)
    assert len(endpoint.asked) == 1  # the key went nowhere else


def test_patience_that_is_asked_for(endpoint: TokenEndpoint) -> None:
    endpoint.fault, endpoint.retry_after = 429, "17"
    assert failure_of(exchange(endpoint)).retry_after_sec == 17.0


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        error = failure_of(KeyExchange(KEY, url=url))
    assert isinstance(error, CredentialUnreachable)
    assert error.__cause__ is not None
    assert not isinstance(error.__cause__, CauseWithheld)


def test_an_endpoint_that_hangs_holds_up_neither_the_loop_nor_the_end(endpoint: TokenEndpoint) -> None:
    endpoint.fault = "hang"

    async def main() -> None:
        policy = RefreshPolicy(fetch_timeout_sec=0.5, retry_min_sec=0.01)
        async with TokenKeeper(exchange(endpoint), policy=policy, name="speech") as keeper:
            with pytest.raises(CredentialUnreachable, match=r"no answer within 0\.5 s"):
                await keeper.token(timeout=0.7)
            endpoint.fault = None
            assert (await keeper.token()).epoch == 1

    asyncio.run(main())


def test_an_unknown_authority_is_not_trusted(entra: TokenEndpoint) -> None:
    error = failure_of(exchange(entra))
    assert "SSLError" in str(error)
    trusting = KeyExchange(KEY, url=f"{entra.url}/sts/v1.0/issueToken", ca_file=entra.ca_file)
    assert asyncio.run(trusting.fetch()).value.startswith(TOKEN_MARK)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"region": "westeurope", "url": "https://example.invalid"},
        {"region": "west.evil.example/"},
        {"url": "http://example.invalid/sts"},
        {"url": "http://127.0.0.1.example.invalid/sts"},
        {"url": "https://user:word@example.invalid/sts"},
        {"url": "file:///etc/passwd"},
        {"region": "westeurope", "key": ""},
        {"region": "westeurope", "key": f"{KEY}\r\nX: y"},
        {"region": "westeurope", "lifetime_sec": 0},
    ],
)
def test_settings_that_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        KeyExchange(**({"key": KEY} | wrong))  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


def test_a_region_is_an_address() -> None:
    url = "https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issueToken"
    assert repr(KeyExchange(KEY, region="westeurope")) == f"KeyExchange(url={url!r})"


def test_a_static_key_is_replaced_while_calls_go_on() -> None:
    async def main() -> None:
        source = StaticKey("one-key")
        async with TokenKeeper(source, name="llm") as keeper:
            assert (await keeper.token()).value == "one-key"
            keeper.refused("one-key")
            await keeper.refresh()
            assert keeper.gate.why_not == "llm: the service refuses it"
            heard: list[str] = []
            keeper.subscribe(lambda token: heard.append(token.value))
            source.replace("another-key")
            assert (await keeper.refresh()).epoch == 2
            await asyncio.sleep(0)
            assert heard == ["another-key"]
            assert keeper.gate.ready
            assert keeper.snapshot()["lasts_sec"] is None

    asyncio.run(main())


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_static_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StaticKey(key)
    assert not key or key not in str(caught.value)
