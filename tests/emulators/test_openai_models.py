"""Which models there are, with the real SDK."""

import openai
import pytest

from tests.emulators.emulated import ANSWER, ask, emulated, on_a_loop, sdk


@on_a_loop
async def test_models_that_are_served_alone():
    async with emulated("--model=a", "--model=b") as emulator, sdk(emulator) as client:
        assert [model.id async for model in client.models.list()] == ["a", "b"]
        assert (await client.models.retrieve("a")).id == "a"
        asked = [client.models.retrieve("m"), ask(client), client.responses.create(model="m", input="hello")]
        for request in asked:
            with pytest.raises(openai.NotFoundError) as caught:
                await request
            assert caught.value.code == "model_not_found"
        await emulator.control.serve_models(None)
        assert await ask(client) == ANSWER
