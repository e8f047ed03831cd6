"""The probes over a real socket: by themselves, mounted, and in front of an application."""

from __future__ import annotations

import asyncio
import http.client
from contextlib import closing

import pytest
from fastapi import FastAPI

from tests.health.probing import probe, serving
from warmline.health import Drain, Health, HealthApp, HealthMiddleware
from warmline.startup import Criticality, Plan, Step


def test_a_kubernetes_style_sequence() -> None:
    """Startup probe until it says yes, then readiness and liveness; a burst, a lost gate, the end."""

    async def main() -> None:
        core, voice = asyncio.Event(), asyncio.Event()
        spares, credentials = 0, True
        drain = Drain(grace_sec=30)
        plan = Plan(
            [
                Step(name="core", run=core.wait, criticality=Criticality.CRITICAL),
                Step(name="voice", run=voice.wait, needs=("core",)),
            ]
        )
        health = Health(
            plan, floors={"tts": lambda: (spares, 2)}, gates={"credentials": lambda: credentials}, drain=drain
        )

        async def both(port: int) -> tuple[int, int]:
            assert (await probe(port, "/livez")) == (200, {"status": "live"})
            return (await probe(port, "/startupz"))[0], (await probe(port, "/readyz"))[0]

        async with plan, serving(HealthApp(health)) as port:
            assert await both(port) == (503, 503)
            assert (await probe(port, "/readyz"))[1] == {
                "status": "starting",
                "missing": ["step core", "step voice", "floor tts"],
                "degraded": [],
            }
            core.set()
            voice.set()
            await plan.finished()
            assert await both(port) == (200, 503)  # the start is over, the floor is not full
            spares = 2
            assert await both(port) == (200, 200)
            spares = 0
            assert await probe(port, "/readyz") == (
                200,
                {"status": "degraded", "missing": [], "degraded": ["floor tts"]},
            )
            credentials = False
            assert await both(port) == (200, 503)
            assert (await probe(port, "/readyz"))[1]["missing"] == ["gate credentials"]
            credentials = True
            with drain.call():
                drain.begin()
                assert await both(port) == (200, 503)
                assert (await probe(port, "/readyz"))[1] == {
                    "status": "draining",
                    "missing": ["draining"],
                    "degraded": ["floor tts"],
                }
            assert await drain.finished() == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/readyz", 200),
        ("POST", "/readyz", 405),
        ("GET", "/readyz/", 404),
        ("GET", "/", 404),
        ("GET", "/warmz", 404),
    ],
)
def test_what_is_no_probe_is_refused(method: str, path: str, status: int) -> None:
    async def main() -> None:
        async with serving(HealthApp(Health())) as port:
            found, document = await probe(port, path, method)
            assert (found, document is None) == (status, method == "HEAD")

    asyncio.run(main())


def test_the_detail_is_there_on_the_operations_port_alone() -> None:
    async def main() -> None:
        async with Plan([Step(name="core", run=lambda: b"12")]) as plan:
            await plan.finished()
            health = Health(plan)
            async with serving(HealthApp(health)) as public, serving(HealthApp(health, operations=True)) as operations:
                assert (await probe(public, "/warmz"))[0] == 404
                status, detail = await probe(operations, "/warmz")
        assert (status, detail["phase"]) == (200, "ready")
        assert detail["warm_up"]["steps"][0]["evidence"] == "bytes of 2"

    asyncio.run(main())


def test_mounted_below_a_path() -> None:
    async def main() -> None:
        app = FastAPI()
        app.mount("/health", HealthApp(Health(gates={"shut": lambda: False})))
        async with serving(app) as port:
            assert (await probe(port, "/health/livez"))[0] == 200
            assert (await probe(port, "/health/readyz"))[1]["missing"] == ["gate shut"]
            assert (await probe(port, "/readyz"))[0] == 404

    asyncio.run(main())


def test_in_front_of_an_application_that_keeps_all_other_paths() -> None:
    async def main() -> None:
        app = FastAPI()
        app.add_middleware(HealthMiddleware, health=Health())

        @app.get("/hello")
        async def hello() -> dict[str, str]:
            return {"status": "hello"}

        async with serving(app) as port:
            assert await probe(port, "/hello") == (200, {"status": "hello"})
            assert (await probe(port, "/readyz"))[1]["status"] == "ready"
            assert (await probe(port, "/warmz"))[0] == 404

    asyncio.run(main())


def test_answers_are_never_cached_and_a_websocket_is_turned_away() -> None:
    def read(port: int) -> tuple[str | None, int]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/livez")
            response = connection.getresponse()
            response.read()
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            connection.request("GET", "/livez", headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
            return response.headers["cache-control"], connection.getresponse().status

    async def main() -> None:
        async with serving(HealthApp(Health()), ws="websockets-sansio") as port:
            assert await asyncio.to_thread(read, port) == ("no-store", 403)

    asyncio.run(main())
