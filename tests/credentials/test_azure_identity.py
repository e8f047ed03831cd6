"""The real azure-identity against endpoints on real sockets, in every flow, sync and async."""

from __future__ import annotations

import asyncio
import json
import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.credentials import azure_credentials
from tests.credentials.azure_credentials import FLOWS, client_secret, on_this_machine
from tests.credentials.endpoint import CLIENT_SECRET, SECRETS, TOKEN_MARK
from warmline.credentials import AzureIdentity, CauseWithheld, RefreshPolicy, TokenKeeper
from warmline.errors import CredentialError, CredentialRefused, CredentialUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.credentials.endpoint import TokenEndpoint


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    on_this_machine(monkeypatch)


@pytest.fixture
def maker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[TokenEndpoint, Callable[[], Any]]]:
    def make(flow: str, *, is_async: bool = False) -> tuple[TokenEndpoint, Callable[[], Any]]:
        over_tls = flow in ("workload identity", "client secret")
        endpoint: TokenEndpoint = request.getfixturevalue("entra" if over_tls else "endpoint")
        if flow == "workload identity":
            return endpoint, azure_credentials.workload_identity(endpoint, tmp_path, is_async=is_async)
        if flow == "client secret":
            return endpoint, client_secret(endpoint, is_async=is_async)
        of_flow = {
            "app service": azure_credentials.app_service,
            "instance metadata": azure_credentials.instance_metadata,
        }
        return endpoint, of_flow[flow](endpoint, monkeypatch, is_async=is_async)

    return make


def failure_of(source: AzureIdentity) -> CredentialError:
    async def main() -> None:
        try:
            await source.fetch()
        finally:
            await source.aclose()

    with pytest.raises(CredentialError) as caught:
        asyncio.run(main())
    text = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in text]
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("flow", FLOWS)
def test_a_token_in_every_flow(maker: Any, flow: str, is_async: bool) -> None:
    endpoint, make = maker(flow, is_async=is_async)

    async def main() -> None:
        async with TokenKeeper(AzureIdentity(make), name="llm") as keeper:
            token = await keeper.token()
            assert token.value.startswith(TOKEN_MARK)
            for _ in range(5):
                await keeper.refresh()  # from azure-identity's cache
            assert keeper.current().epoch == 1
            assert 3500 < keeper.snapshot()["lasts_sec"] <= 3600
            assert 50 < keeper.snapshot()["next_fetch_in_sec"] <= 60
            assert len(endpoint.asked) == 1
            json.dumps(keeper.snapshot())

    asyncio.run(main())


@pytest.mark.parametrize("flow", FLOWS)
def test_it_works_off_the_loop(maker: Any, flow: str) -> None:
    _, make = maker(flow)
    threads: set[int] = set()

    class Watched:
        def __init__(self) -> None:
            threads.add(threading.get_ident())
            self.real = make()

        def get_token(self, *scopes: str) -> Any:
            threads.add(threading.get_ident())
            return self.real.get_token(*scopes)

        def close(self) -> None:
            threads.add(threading.get_ident())
            self.real.close()

    async def main() -> None:
        source = AzureIdentity(Watched)
        assert (await source.fetch()).expires_on
        await source.aclose()

    asyncio.run(main())
    assert threading.get_ident() not in threads
    assert len(threads) >= 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_refused_token_is_fetched_anew_past_the_cache(maker: Any, is_async: bool) -> None:
    endpoint, make = maker("app service", is_async=is_async)

    async def main() -> None:
        async with TokenKeeper(AzureIdentity(make), name="llm") as keeper:
            first = await keeper.token()
            keeper.refused(first.value)
            second = await keeper.refresh()
            assert second.epoch == 2
            assert len(endpoint.asked) == 2

    asyncio.run(main())


def test_a_credential_that_was_given_stays_its_owners(entra: TokenEndpoint) -> None:
    credential = client_secret(entra)()

    async def main() -> None:
        source = AzureIdentity(credential)
        await source.fetch()
        source.renew()
        await source.aclose()
        assert credential.get_token("https://cognitiveservices.azure.com/.default").token.startswith(TOKEN_MARK)

    asyncio.run(main())
    credential.close()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_wrong_secret(entra: TokenEndpoint, is_async: bool) -> None:
    wrong = "wrong-secret-Zq7"
    error = failure_of(AzureIdentity(client_secret(entra, wrong, is_async=is_async), secrets=[wrong]))
    assert isinstance(error, CredentialRefused)
    assert "AADSTS7000215" in str(error)
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    ("fault", "is_async"),
    [*((fault, False) for fault in ("echo", "echo 503", 503, 429, "garbage", "empty")), ("echo", True), (503, True)],
)
@pytest.mark.parametrize("flow", FLOWS)
def test_an_endpoint_that_fails(maker: Any, flow: str, fault: int | str, is_async: bool) -> None:
    endpoint, make = maker(flow, is_async=is_async)
    endpoint.fault = fault
    error = failure_of(AzureIdentity(make, secrets=[CLIENT_SECRET]))
    # Of App Service's answers, the sync client does not say which refuse and which fail.
    is_refusal = fault == "echo" and (flow, is_async) != ("app service", False)
    assert type(error) is (CredentialRefused if is_refusal else CredentialUnreachable), (error, error.__cause__)
    assert error.__cause__ is not None


def test_a_cause_that_quotes_the_secret_is_withheld(entra: TokenEndpoint) -> None:
    entra.fault = "echo"
    error = failure_of(AzureIdentity(client_secret(entra), secrets=[CLIENT_SECRET]))
    assert isinstance(error.__cause__, CauseWithheld)
    assert str(error.__cause__) == "ClientAuthenticationError"


def test_nothing_is_configured() -> None:
    import azure.identity

    error = failure_of(AzureIdentity(azure.identity.WorkloadIdentityCredential))
    assert isinstance(error, CredentialRefused)
    assert "ValueError" in str(error)


def test_an_endpoint_that_hangs_is_replaced_with_a_fresh_credential(maker: Any) -> None:
    endpoint, make = maker("app service")
    endpoint.fault = "hang"
    made: list[Any] = []

    def making() -> Any:
        made.append(make())
        return made[-1]

    async def main() -> None:
        policy = RefreshPolicy(poll_sec=60.0, fetch_timeout_sec=1.0, retry_min_sec=0.01)
        async with TokenKeeper(AzureIdentity(making), policy=policy, name="llm") as keeper:
            with pytest.raises(CredentialUnreachable, match="no answer within"):
                await keeper.token(timeout=1.5)
            endpoint.fault = None
            assert (await keeper.token(timeout=10)).epoch == 1
            assert len(made) >= 2

    asyncio.run(main())
