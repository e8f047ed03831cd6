"""Six start-up stages of a voice backend (core, speech, aoai, services, agents, events) as a warm-up plan.

One after the other they would take the sum of their times. As a plan, each waits for what it needs and for nothing
else: the model's connection for nobody, speech for the phrase list (a recogniser that was warmed without it would hear
other words than one that was not), the event handlers for all that they call.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from examples.voice_backend.stand_in import Connection, StandIn
from warmline import WarmableResourcePool
from warmline.errors import Draining
from warmline.health import Drain, Health, HealthMiddleware
from warmline.startup import Plan, Verified

provider = StandIn(answer_sec=0.05)
plan = Plan(policy="gate", deadline_sec=20)
drain = Drain(grace_sec=30)


async def warm_voice(voice: Connection) -> bool:
    """The first synthesis, with the words and the voice of real traffic."""
    return await voice.ask("say hello") == "answer to say hello"


voices = WarmableResourcePool(factory=provider.connect, name="tts", warm_pool_size=2, warm_fn=warm_voice)


def spare_voices() -> tuple[int, int]:
    """How many stand ready, and should."""
    return voices.snapshot()["counts"]["spare"], voices.snapshot()["warm_pool_target"]


health = Health(plan, floors={"tts": spare_voices}, drain=drain)


async def give_back(name: str) -> None:
    """What stands in the application's state, if anything does."""
    made: Connection | None = getattr(app.state, name, None)
    setattr(app.state, name, None)
    if made is not None:
        await made.aclose()


async def keep(name: str, made: Connection) -> Connection:
    """In the application's state; a further attempt or run gives back what the one before it made."""
    await give_back(name)
    setattr(app.state, name, made)
    return made


async def close_core() -> None:
    """What the stage made, if anything, is given back when the application ends, latest stage first."""
    await give_back("redis")


@plan.step(criticality="critical", timeout_sec=5, retries=3, close=close_core)
async def core() -> str:
    """Sessions live in Redis: nothing works without it."""
    redis = await keep("redis", await provider.connect())
    return await redis.ask("PING")


@plan.step(needs=["services"], timeout_sec=10, close=voices.shutdown)
async def speech() -> Verified:
    """Voices that have spoken, not mere clients."""
    await voices.prepare()
    spares, floor = spare_voices()
    if spares < floor:
        raise RuntimeError(f"{spares} of {floor} voices are warm")
    return Verified(f"{spares} voices spoke")


async def close_aoai() -> None:
    """The same for the model."""
    await give_back("model")


@plan.step(timeout_sec=10, retries=1, close=close_aoai)
async def aoai() -> str:
    """A connection on which the model has answered; listing models costs nothing."""
    model = await keep("model", await provider.connect())
    return await model.ask("GET /models")


@plan.step(needs=["core"], timeout_sec=10)
async def services() -> list[str]:
    """What the recognisers are biased towards comes from the database."""
    redis: Connection = app.state.redis
    phrases = app.state.phrases = (await redis.ask("phrases")).split()
    return phrases


@plan.step(cpu=True)
def agents() -> dict[str, str]:
    """Read from disk: no `async`, so it runs in a thread."""
    known: dict[str, str] = json.loads((Path(__file__).parent / "agents.json").read_text(encoding="utf-8"))
    app.state.agents = known
    return known


@plan.step(needs=["core", "agents"], after=["speech", "aoai"], verified=False)
async def events() -> None:
    """Handlers are registered last; that they are proves nothing, and the report says so."""
    app.state.handlers = {"call.connected": app.state.agents["default"]}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Everything that lives as long as the application."""
    async with provider.listening(), drain.on_sigterm(), plan.lifespan(app):
        yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(HealthMiddleware, health=health)


@app.websocket("/call")
async def call(websocket: WebSocket) -> None:
    """A call: every message is spoken back. While the server drains, further calls are told why they are refused."""
    await websocket.accept()
    try:
        with drain.call():
            async with voices.lease() as lease:
                async for words in websocket.iter_text():
                    await websocket.send_text(await lease.resource.ask(words))
    except Draining as refusal:
        await websocket.close(1013, str(refusal))
    except WebSocketDisconnect:
        return
