"""The lifespan in real applications, as the guides tell it."""

import asyncio
import re
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from tests.health.probing import probe, serving
from tests.structure.source_tree import ROOT
from warmline.errors import WarmUpFailed
from warmline.startup import Criticality, Plan, Step

GUIDE = ROOT / "docs" / "how-to" / "your-fastapi-app.md"


class Redis:
    """Counts its pings."""

    pings = 0

    async def ping(self) -> bool:
        self.pings += 1
        return True


def test_the_five_lines_of_the_guide_are_true() -> None:
    lines = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert lines is not None
    redis = Redis()
    namespace: dict[str, Any] = {"client": redis}
    exec(compile(lines.group(1), str(GUIDE), "exec"), namespace)

    async def main() -> None:
        async with serving(namespace["app"]) as port:
            assert (await probe(port, "/livez"))[0] == 200
            await namespace["plan"].finished()
            assert await probe(port, "/readyz") == (200, {"status": "ready", "missing": [], "degraded": []})

    asyncio.run(main())
    assert redis.pings == 1


@pytest.mark.parametrize("framework", [FastAPI, Starlette])
def test_it_is_the_lifespan_of_either_framework_or_part_of_ones_own(framework) -> None:
    given_back: list[str] = []
    plan = Plan([Step(name="a", run=lambda: True, close=lambda: given_back.append("a"))])

    @asynccontextmanager
    async def own(app):
        async with plan.lifespan(app):
            yield
        given_back.append("own")

    async def main() -> None:
        for lifespan in (plan.lifespan, own):
            app = framework(lifespan=lifespan)
            async with serving(app, lifespan="on"):
                assert app.state.warm_up is plan
                assert not (await plan.finished()).failed

    asyncio.run(main())
    assert given_back == ["a", "a", "own"]


def test_block_keeps_an_application_from_starting_without_what_is_critical() -> None:
    def fail() -> None:
        raise OSError(111, "refused")

    plan = Plan([Step(name="core", run=fail, criticality=Criticality.CRITICAL)], policy="block")

    async def main() -> None:
        app = FastAPI(lifespan=plan.lifespan)
        with pytest.raises(WarmUpFailed, match="core"):
            async with app.router.lifespan_context(app):
                raise AssertionError("it started")

    asyncio.run(main())
