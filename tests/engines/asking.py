"""A language model as tests ask it."""

import asyncio
from contextlib import aclosing, asynccontextmanager

from tests.emulators.emulated import ASK
from warmline.engines import ChatMessage
from warmline.engines.openai import OpenAIConfig, OpenAILanguageModel

ASKED = [ChatMessage("system", ASK[0]["content"]), ChatMessage("user", ASK[1]["content"])]
SECRET = "sk-nobody-may-see-this"


@asynccontextmanager
async def language_model(url, **chosen):
    model = OpenAILanguageModel(OpenAIConfig(**{"base_url": url, "model": "m", "api_key": SECRET, **chosen}))
    async with aclosing(model):
        yield model


async def answer_of(model):
    async with aclosing(model.stream(ASKED)) as pieces:
        return "".join([piece async for piece in pieces])


async def until(holds):
    """Fails after 30 s."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)
