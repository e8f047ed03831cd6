"""The emulator in a process of its own, as tests start it, and the real SDK in front of it."""

import asyncio
import functools
import ssl
from contextlib import asynccontextmanager

import openai

from warmline.emulators import EmulatorProcess

ASK = [
    {"role": "system", "content": "You are a receptionist.\n- opening hours: Noon to ten. Every day."},
    {"role": "user", "content": "what are your opening hours"},
]
ANSWER = "Noon to ten. Every day."


def on_a_loop(test):
    """Run an async test."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@asynccontextmanager
async def emulated(*options, **given):
    given = {"token_interval_ms": 0, "control": True, **given}
    async with await EmulatorProcess.start(**given, options=options) as emulator:
        yield emulator


def http_client(emulator, **given):
    """The SDK's own HTTP client, which trusts the emulator."""
    verify = ssl.create_default_context(cafile=emulator.ca_file) if emulator.ca_file else True
    return openai.DefaultAsyncHttpxClient(verify=verify, trust_env=False, **given)


def sdk(emulator, *, http2=False, **given):
    given = {"api_key": "sk-test", "max_retries": 0, **given}
    return openai.AsyncOpenAI(base_url=emulator.url, http_client=http_client(emulator, http2=http2), **given)


async def ask(client, **given):
    completion = await client.chat.completions.create(model="m", messages=ASK, **given)
    return completion.choices[0].message.content


async def ask_streaming(client, **given):
    """The answer, and how many pieces it came in."""
    stream = await client.chat.completions.create(model="m", messages=ASK, stream=True, **given)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    return "".join(pieces), len(pieces)
