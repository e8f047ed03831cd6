"""What no call uses is left out of the imports, and nobody can tell: it is there for who asks, and no call does."""

import subprocess
import sys
from textwrap import dedent

import pytest


def printed(code: str) -> list[str]:
    """What a fresh interpreter prints that has imported the language model's client in this way."""
    start = """
        import sys
        from warmline.agent.unused_imports import without_unused_imports
        with without_unused_imports():
            import warmline.engines.openai
        openai = sys.modules["openai"]
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(start) + dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_models_of_other_endpoints_and_the_other_http_client_are_left_out() -> None:
    loaded = printed("print(*sys.modules)")
    assert {"openai", "openai.types", "openai.types.chat"} <= set(loaded)
    assert {"openai.types.responses.response", "openai.types.batch", "aiohttp.client"} & set(loaded) == set()


@pytest.mark.parametrize(
    "asked",
    [
        "from openai.types import Batch as found; from openai.types.batch import Batch as same",
        "from openai.types.batch import Batch as found; same = openai.types.Batch",
        "from openai.types.responses import Response as found; same = openai.types.responses.response.Response",
        "names = {}; exec('from openai.types import *', names); found, same = names['Batch'], openai.types.Batch",
        "from aiohttp import ClientSession as found; import aiohttp.client; same = aiohttp.client.ClientSession",
    ],
)
def test_what_is_asked_for_is_there(asked: str) -> None:
    assert printed(f"{asked}\nprint(found is same, found.__name__ in ('Batch', 'Response', 'ClientSession'))") == [
        "True",
        "True",
    ]


def test_what_does_not_exist_does_not_exist() -> None:
    code = """
        import aiohttp
        for module in (openai.types, openai.types.chat, aiohttp):
            print(hasattr(module, "Nonsense"), hasattr(module, "__nonsense__"))
    """
    assert printed(code) == ["False"] * 6


def test_later_imports_are_as_always() -> None:
    """Only what is imported within is affected: nothing of ours stays in the way of others."""
    code = """
        print(sum(type(each).__module__.startswith("warmline") for each in sys.meta_path))
        import openai._vendor.httpx_aiohttp
        print(openai._vendor.httpx_aiohttp.Httpx2AiohttpClient.__name__)
    """
    assert printed(code) == ["0", "Httpx2AiohttpClient"]


def test_a_call_loads_no_module(tmp_path) -> None:
    """Everything that is left out, or for later, would otherwise be paid by the first caller."""
    code = f"""
        import asyncio
        from pathlib import Path
        from warmline.agent.rehearsal import rehearse
        from warmline.agent.warm_start import WarmStart
        from warmline.clock import SystemClock
        from warmline.settings import Settings, load_scenario

        async def main():
            settings = Settings(port=0, llm_base_url=None, cache_dir=Path({str(tmp_path.parent / "cache")!r}))
            start = WarmStart(settings, load_scenario(), clock=SystemClock(), emit=lambda _: None)
            async with start:
                report = await start.plan.finished()
                before = set(sys.modules)
                await rehearse(await start.kit(), SystemClock(), timeout_sec=20)
                print(report.failed == (), *(set(sys.modules) - before))

        asyncio.run(main())
    """
    assert printed(code) == ["True"]


def test_an_import_that_another_thread_has_begun_meanwhile_finds_its_module() -> None:
    code = """
        from importlib.machinery import PathFinder
        leaving_out = without_unused_imports()

        class EndsItMeanwhile:
            def find_spec(self, name, path=None, target=None):
                leaving_out.__exit__(None, None, None)

        leaving_out.__enter__()
        before = sys.meta_path
        before.insert(before.index(PathFinder), EndsItMeanwhile())
        sys.modules.pop("wave", None)
        import wave
        print(wave.__name__)
    """
    assert printed(code) == ["wave"]
