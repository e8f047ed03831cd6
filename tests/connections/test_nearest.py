"""Several origins: the nearest healthy one, by measurement."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.connections.conftest import ask, until
from tests.connections.llm_server import LlmServer
from warmline.connections.http import transport_of, warm
from warmline.connections.http.nearest import choose


@pytest.mark.parametrize(
    ("round_trips_ms", "current", "chosen"),
    [
        ([100.0, 20.0], 0, 1),
        ([100.0, 90.0], 0, 0),  # not by enough
        ([10.0, 6.0], 0, 0),
        ([None, 90.0], 0, 1),
        ([100.0, None], 1, 0),
        ([None, None], 1, 1),
        ([50.0, 20.0, 10.0], 1, 2),
    ],
)
def test_it_stays_unless_another_is_clearly_nearer(round_trips_ms, current, chosen):
    assert choose(round_trips_ms, current) == chosen


def test_requests_go_to_the_nearest_and_leave_it_when_it_fails(library):
    async def main():
        async with LlmServer() as far, LlmServer() as near:
            original = openai.AsyncOpenAI(
                base_url=far.url, api_key="k", max_retries=0, http_client=library.AsyncClient()
            )
            elsewhere = near.url.replace("/v1", "/eu/v1")
            async with warm(original, also_at=[elsewhere]) as client:
                transport = transport_of(client)
                await transport.start()
                await until(lambda: (far.open, near.open) == (2, 2))
                for place in transport._places:
                    await place.transport.wait_warm()
                assert all(each.path == "/eu/v1/models" for each in near.seen)
                assert all(ms is not None for ms in transport.round_trips_ms.values())
                # On loopback both are near, and a busy machine blurs what was measured: it is replaced by figures.
                for place, round_trip_ms in zip(transport._places, (100.0, 10.0), strict=True):
                    place.transport.origin.round_trips_ms.extend([round_trip_ms] * 8)
                assert await ask(client) == "word0 word1 word2"
                (sent,) = near.asked("/completions")
                assert sent.path == "/eu/v1/chat/completions"
                assert sent.headers["host"] == f"127.0.0.1:{near.port}"
                assert transport.recent[-1].tier == "warm"
                near.model_status = 429
                await transport.rewarm(older_than_sec=0)
                await until(lambda: transport.round_trips_ms[str(transport._places[1].base)] is None)
                assert await ask(client) == "word0 word1 word2"
                assert len(far.asked("/completions")) == 1
            await original.close()

    asyncio.run(main())


def test_a_burst_stays_where_it_is_near(library):
    async def main():
        async with LlmServer() as near, LlmServer() as far:
            original = openai.AsyncOpenAI(
                base_url=near.url, api_key="k", max_retries=0, http_client=library.AsyncClient()
            )
            async with warm(original, also_at=[far.url]) as client:
                transport = transport_of(client)
                for place, round_trip_ms in zip(transport._places, (10.0, 100.0), strict=True):
                    assert await place.transport.wait_warm()
                    place.transport.origin.round_trips_ms.extend([round_trip_ms] * 8)
                near.speak.clear()
                asked = [asyncio.ensure_future(ask(client)) for _ in range(5)]
                await until(lambda: len(near.asked("/completions")) + len(far.asked("/completions")) == 5)
                assert len(near.asked("/completions")) == 5
                near.speak.set()
                await asyncio.gather(*asked)
            await original.close()

    asyncio.run(main())


def test_azure_deployments_are_measured_in_every_region():
    class Azure(LlmServer):
        """Knows its models beside its deployments, as Azure does."""

        async def _answer(self, seen, writer):
            self.model_status = 404 if "/deployments/dep/models" in seen.path else 200
            return await super()._answer(seen, writer)

    async def main():
        async with Azure() as here, Azure() as there:
            original = openai.AsyncAzureOpenAI(
                azure_endpoint=here.url.removesuffix("/v1"),
                azure_deployment="dep",
                api_version="2024-10-21",
                api_key="k",
                max_retries=0,
            )
            elsewhere = there.url.removesuffix("/v1") + "/openai/deployments/dep"
            async with warm(original, also_at=[elsewhere]) as client:
                transport = transport_of(client)
                for place in transport._places:
                    assert await place.transport.wait_warm()
                assert all(ms is not None for ms in transport.round_trips_ms.values())
                for place, round_trip_ms in zip(transport._places, (100.0, 10.0), strict=True):
                    place.transport.origin.round_trips_ms.extend([round_trip_ms] * 8)
                assert await ask(client) == "word0 word1 word2"
                (sent,) = there.asked("/completions")
                assert sent.path.startswith("/openai/deployments/dep/chat/completions?")
            await original.close()

    asyncio.run(main())
