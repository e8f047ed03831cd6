"""The real openai SDK takes its tokens from a keeper, sync and async."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.credentials.endpoint import KEY, TOKEN_MARK
from warmline.credentials import KeeperThread, KeyExchange, TokenKeeper

if TYPE_CHECKING:
    from tests.credentials.endpoint import TokenEndpoint

QUESTION: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def keeper_of(endpoint: TokenEndpoint) -> TokenKeeper:
    return TokenKeeper(KeyExchange(KEY, url=f"{endpoint.url}/sts/v1.0/issueToken"), name="llm")


def options_of(endpoint: TokenEndpoint) -> Any:
    return {"azure_endpoint": endpoint.url, "api_version": "2024-10-21", "max_retries": 0}


def test_async_client(endpoint: TokenEndpoint) -> None:
    async def main() -> None:
        async with (
            keeper_of(endpoint) as keeper,
            openai.AsyncAzureOpenAI(azure_ad_token_provider=keeper.async_provider(), **options_of(endpoint)) as client,
        ):
            for _ in range(2):
                await client.chat.completions.create(**QUESTION)
            await keeper.refresh()
            answer = await client.chat.completions.create(**QUESTION)
            assert answer.choices[0].message.content == "Hello."

    asyncio.run(main())
    assert endpoint.carried == [f"{TOKEN_MARK}-1", f"{TOKEN_MARK}-1", f"{TOKEN_MARK}-2"]


def test_sync_client(endpoint: TokenEndpoint) -> None:
    with (
        KeeperThread(keeper_of(endpoint)) as keeper,
        openai.AzureOpenAI(azure_ad_token_provider=keeper.provider(), **options_of(endpoint)) as client,
    ):
        assert client.chat.completions.create(**QUESTION).choices[0].message.content == "Hello."
    assert endpoint.carried == [f"{TOKEN_MARK}-1"]


def test_a_401_is_reported_and_the_next_request_carries_another_token(endpoint: TokenEndpoint) -> None:
    async def main() -> None:
        async with (
            keeper_of(endpoint) as keeper,
            openai.AsyncAzureOpenAI(azure_ad_token_provider=keeper.async_provider(), **options_of(endpoint)) as client,
        ):
            token = await keeper.token()
            endpoint.ends[token.value] = 0.0  # revoked
            with pytest.raises(openai.AuthenticationError):
                await client.chat.completions.create(**QUESTION)
            keeper.refused(token.value)
            assert not keeper.gate
            while not keeper.gate:
                await asyncio.sleep(0.01)
            await client.chat.completions.create(**QUESTION)

    asyncio.run(main())
    assert endpoint.carried == [f"{TOKEN_MARK}-1", f"{TOKEN_MARK}-2"]
