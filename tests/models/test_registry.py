"""One load for all, whatever asks at once; the last to let go frees it; what fails is told to all and tried anew."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from warmline.errors import ModelError, WarmUpFailed
from warmline.models import ModelRegistry, RegistryCounts


@dataclass
class Diary:
    """What was done to a source; `go` lets a load begin, `wrong` makes it fail, `mute` its exercise."""

    loads: int = 0
    exercised: int = 0
    released: list[object] = field(default_factory=list)
    threads: set[threading.Thread] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    wrong: Exception | None = None
    mute: bool = False


@dataclass(frozen=True)
class Source:
    name: str
    diary: Diary = field(default_factory=Diary, compare=False)

    def load(self):
        self.diary.loads += 1
        self.diary.threads.add(threading.current_thread())
        self.diary.begun.set()
        assert self.diary.go.wait(10)
        if self.diary.wrong:
            raise self.diary.wrong
        return [f"weights of {self.name}"]

    def exercise(self, weights):
        self.diary.exercised += 1
        if self.diary.mute:
            raise WarmUpFailed("gave nothing")

    def release(self, weights):
        self.diary.released.append(weights)


def ready(name="m", **diary):
    source = Source(name, Diary(**diary))
    source.diary.go.set()
    return source


async def begun(diary):
    while not diary.begun.is_set():
        await asyncio.sleep(0.001)


def test_takers_at_once_share_one_load_off_the_loop():
    async def scenario():
        registry, source = ModelRegistry(), Source("m")
        takers = [asyncio.create_task(registry.take(source)) for _ in range(50)]
        await begun(source.diary)
        assert registry.loaded() == ()
        source.diary.go.set()
        shared = await asyncio.gather(*takers)
        return registry, source.diary, shared

    registry, diary, shared = asyncio.run(scenario())
    assert (diary.loads, diary.exercised) == (1, 1)
    assert diary.threads.isdisjoint({threading.main_thread()})
    assert len({id(each.weights) for each in shared}) == 1
    assert registry.counts() == RegistryCounts(loaded=1, shared=49)
    assert [(each.name, each.users) for each in registry.loaded()] == [("m", 50)]


def test_equal_sources_are_one_and_others_are_others():
    registry = ModelRegistry()
    first, equal, other = (registry.take_blocking(ready(name)) for name in ("a", "a", "b"))
    assert first.weights is equal.weights
    assert first.weights is not other.weights
    assert registry.counts() == RegistryCounts(loaded=2, shared=1)


def test_threads_share_one_load_with_each_other():
    registry, source = ModelRegistry(), Source("m")
    taken = []
    takers = [threading.Thread(target=lambda: taken.append(registry.take_blocking(source))) for _ in range(8)]
    for taker in takers:
        taker.start()
    source.diary.go.set()
    for taker in takers:
        taker.join()
    assert source.diary.loads == 1
    assert len({id(each.weights) for each in taken}) == 1


def test_the_last_user_frees_the_weights_and_twice_is_once():
    registry, source = ModelRegistry(), ready()
    first, second = registry.take_blocking(source), registry.take_blocking(source)
    first.release()
    first.release()
    assert source.diary.released == []
    with second as held:
        assert held.weights == ["weights of m"]
    assert source.diary.released == [["weights of m"]]
    assert registry.loaded() == ()
    with pytest.raises(ModelError, match="were released"):
        _ = first.weights
    registry.take_blocking(source)
    assert source.diary.loads == 2


def test_a_load_that_failed_is_told_to_all_and_tried_anew():
    async def scenario():
        registry, source = ModelRegistry(), Source("m", Diary(wrong=OSError("no such file")))
        takers = [asyncio.create_task(registry.take(source)) for _ in range(3)]
        await begun(source.diary)
        source.diary.go.set()
        failures = await asyncio.gather(*takers, return_exceptions=True)
        source.diary.wrong = None
        await registry.take(source)
        return registry, source.diary, failures

    registry, diary, failures = asyncio.run(scenario())
    assert all(isinstance(each, ModelError) and isinstance(each.__cause__, OSError) for each in failures)
    assert diary.loads == 2
    assert registry.counts() == RegistryCounts(loaded=1, shared=2, failed=1)


def test_weights_that_do_not_prove_themselves_are_freed_and_not_lent():
    registry, source = ModelRegistry(), ready(mute=True)
    with pytest.raises(WarmUpFailed, match="gave nothing"):
        registry.take_blocking(source)
    assert source.diary.released == [["weights of m"]]
    assert registry.loaded() == ()


@pytest.mark.parametrize("others", [0, 1])
def test_a_taker_who_gives_up_neither_ends_the_load_nor_leaks_it(others):
    async def scenario():
        registry, source = ModelRegistry(), Source("m")
        takers = [asyncio.create_task(registry.take(source)) for _ in range(1 + others)]
        await begun(source.diary)
        takers[0].cancel()
        await asyncio.wait(takers[:1])
        assert takers[0].cancelled()
        source.diary.go.set()
        await asyncio.gather(*takers[1:])
        while registry.counts().loaded == 0 or len(registry.loaded()) != others:
            await asyncio.sleep(0.001)
        return source.diary

    diary = asyncio.run(scenario())
    assert diary.loads == 1
    assert len(diary.released) == 1 - others


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ValueError("401 for https://models.example/m?token=sk-123"), "m did not load: ValueError"),
        (
            FileNotFoundError(2, "No such file or directory", "sk-123"),
            "m did not load: FileNotFoundError: No such file",
        ),
    ],
)
def test_of_a_strangers_message_nothing_is_quoted(failure, said):
    with pytest.raises(ModelError) as raised:
        ModelRegistry().take_blocking(ready(wrong=failure))
    assert str(raised.value).startswith(said)
    assert "sk-123" not in str(raised.value)
    assert raised.value.__cause__ is failure


def test_takers_that_fill_the_loops_own_threads_do_not_keep_the_load_from_running():
    async def scenario():
        registry, source, joined = ModelRegistry(), ready(), threading.Event()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))

        def take_later():
            assert joined.wait(10)
            return registry.take_blocking(source)

        others = [asyncio.create_task(asyncio.to_thread(take_later)) for _ in range(2)]
        first = asyncio.create_task(registry.take(source))
        await asyncio.sleep(0)
        joined.set()
        await asyncio.gather(first, *others)
        return registry.counts()

    assert asyncio.run(scenario()) == RegistryCounts(loaded=1, shared=2)


HANGING_LOAD = """
import asyncio, threading
from dataclasses import dataclass
from warmline.models import ModelRegistry
@dataclass(frozen=True)
class Hung:
    name: str = "m"
    def load(self): threading.Event().wait()
async def main():
    try:
        async with asyncio.timeout(0.05):
            await ModelRegistry().take(Hung())
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""


def test_a_load_that_hangs_does_not_keep_the_process_from_ending():
    done = subprocess.run([sys.executable, "-c", HANGING_LOAD], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "given up\n"


def test_exercises_of_a_second_taker_run_before_it_gets_the_weights_and_not_again_for_a_third():
    @dataclass(frozen=True)
    class Proving(Source):
        proof: str = field(default="", compare=False)

    registry, diary = ModelRegistry(), Diary()
    diary.go.set()
    for proof in ("one shape", "two shapes", "two shapes", "one shape"):
        registry.take_blocking(Proving("m", diary, proof))
    assert (diary.loads, diary.exercised) == (1, 2)
