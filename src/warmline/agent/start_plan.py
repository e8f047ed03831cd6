"""The agent's warm-up, step by step: what needs what, what keeps a core busy, what no call can do without.

Modules are loaded one after the other: an import holds the GIL, so that two at a time take no less, and threads that
import modules which import each other may see them half made. What else keeps a core busy (processes that load their
models, weights, inferences) runs beside them.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from warmline.agent.unused_imports import without_unused_imports
from warmline.startup import Criticality, Step, Verified

if TYPE_CHECKING:
    from warmline.agent.kit_parts import KitParts
    from warmline.settings import Settings

__all__ = ["WEB_SERVER", "import_steps", "kit_steps"]

WEB_SERVER = "import web server"
# Modules and seconds, in the order in which they are needed: first what takes probes, then what other steps wait for.
_IMPORTS = (
    (WEB_SERVER, ("warmline.agent.door", "warmline.agent.server"), 0.15),
    ("import pools", ("warmline.agent.call_pools",), 0.05),
    ("import onnxruntime", ("onnxruntime",), 0.05),
    ("import analyzers", ("warmline.adapters.pipecat",), 0.2),
    ("import openai", ("warmline.engines.openai",), 0.2),
    ("import pipeline", ("warmline.agent.pipeline",), 0.15),
    ("import rehearsal", ("warmline.agent.rehearsal",), 0.0),
)
# It runs in threads of this process. The other engines have processes of their own, and load their libraries there.
_IMPORT_WHISPER = ("import whisper", ("faster_whisper",), 1.0)
_POOLS, _ANALYZERS, _OPENAI = "import pools", "import analyzers", "import openai"
_PIPELINE, _REHEARSAL = "import pipeline", "import rehearsal"
_LOAD_TIMEOUT_SEC = 150.0
_CRITICAL, _OPTIONAL = Criticality.CRITICAL, Criticality.OPTIONAL


def import_steps(settings: "Settings", *, all_of_a_call: bool) -> list[Step]:
    """The modules of the server, or those of a call as well; one at a time."""
    server, *call = _IMPORTS
    whisper = [_IMPORT_WHISPER] if settings.ear == "whisper" else []
    lane = [server, *whisper, *call] if all_of_a_call else [server]
    before = [(), *((name,) for name, _, _ in lane)]
    return [_import(*each, after) for each, after in zip(lane, before, strict=False)]


def kit_steps(parts: "KitParts", settings: "Settings", *, exercise: bool) -> list[Step]:
    """Everything that calls take from, and with `exercise` its first uses. Needs all of `import_steps`."""
    steps = [*_processes(parts, settings), *_weights(parts), *_language_model(parts, settings, connect=exercise)]
    return [*steps, *_exercises(parts, settings)] if exercise else steps


def _import(name: str, modules: tuple[str, ...], expected_sec: float, after: tuple[str, ...]) -> Step:
    return Step(
        name=name,
        run=partial(_load, modules),
        after=after,
        timeout_sec=_LOAD_TIMEOUT_SEC,
        criticality=_CRITICAL,
        cpu=expected_sec > 0,  # what takes no time need not wait for a core
        expected_sec=expected_sec,
    )


def _load(modules: tuple[str, ...]) -> Verified:
    before = len(sys.modules)
    with _no_collections(), without_unused_imports():
        for module in modules:
            importlib.import_module(module)
    return Verified(f"{len(sys.modules) - before} modules")


@contextmanager
def _no_collections() -> Iterator[None]:
    """What an import makes lives until the end: to walk it would hold up this import, those that follow, and calls."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _processes(parts: "KitParts", settings: "Settings") -> list[Step]:
    start = partial(Step, timeout_sec=_LOAD_TIMEOUT_SEC, retries=1, criticality=_CRITICAL, cpu=True)
    fill = partial(Step, timeout_sec=30.0, retries=1, criticality=_CRITICAL)
    hear = partial(start, needs=(_IMPORT_WHISPER[0],)) if settings.ear == "whisper" else start
    steps = [
        hear(name="recogniser", run=parts.start_recogniser, close=parts.stop_recogniser, expected_sec=0.5),
        start(
            name="ears", run=parts.open_ears, close=parts.close_ears, needs=("recogniser", _POOLS), expected_sec=0.15
        ),
        start(name="voice", run=parts.start_voice, close=parts.stop_voice, expected_sec=0.2),
        fill(
            name="voices", run=parts.open_voices, close=parts.close_voices, needs=("voice", _POOLS), expected_sec=0.05
        ),
        fill(name="greeting", run=parts.render_greeting, needs=("voice",), expected_sec=0.05),
        fill(name="apology", run=parts.render_apology, needs=("voice",), expected_sec=0.05),
    ]
    if settings.llm_base_url is not None:
        return steps
    server = start(name="model server", run=parts.start_model_server, close=parts.stop_model_server, expected_sec=0.3)
    return [server, *steps]


def _weights(parts: "KitParts") -> list[Step]:
    load = partial(Step, needs=(_ANALYZERS,), criticality=_CRITICAL, cpu=True, expected_sec=0.1)
    return [
        load(name="silero", run=parts.load_silero),
        load(name="smart-turn", run=parts.load_smart_turn),
        Step(
            name="turn models",
            run=parts.weights_loaded,
            needs=("silero", "smart-turn"),
            criticality=_CRITICAL,
            expected_sec=0.0,
        ),
    ]


def _language_model(parts: "KitParts", settings: "Settings", *, connect: bool) -> list[Step]:
    embedded = settings.llm_base_url is None
    client = Step(
        name="model client",
        run=parts.make_model,
        close=parts.close_model,
        needs=(_OPENAI, "model server") if embedded else (_OPENAI,),
        # It holds the GIL, as an import does: beside one it would keep another step from a core. A server that is far
        # away takes its time to answer, and is asked as soon as can be.
        after=(_PIPELINE,) if embedded else (),
        criticality=_CRITICAL,
        cpu=True,
        expected_sec=0.1,
    )
    connection = Step(
        name="model connection",
        run=parts.connect_model,
        needs=("model client",),
        timeout_sec=20.0,
        retries=1,
        expected_sec=0.1,
    )
    return [client, connection] if connect else [client]


def _exercises(parts: "KitParts", settings: "Settings") -> list[Step]:
    # The rehearsal does not wait for them, and takes longest: they need not slow its beginning. A server that is far
    # away may take its time to answer, and must not hold them up.
    after = ("model connection",) if settings.llm_base_url is None else ()
    infer = partial(Step, cpu=True, expected_sec=0.1, after=after)
    return [
        infer(name="silero inference", run=parts.infer_silero, needs=("silero",)),
        infer(name="smart-turn inference", run=parts.infer_smart_turn, needs=("smart-turn",)),
        Step(
            name="rehearsal",
            run=parts.rehearse,
            needs=("ears", "voices", "greeting", "apology", "turn models", "model client", _PIPELINE, _REHEARSAL),
            timeout_sec=20.0,
            expected_sec=0.5,
            paid=settings.llm_base_url is not None,
        ),
        Step(
            name="spares",
            run=parts.wait_for_spares,
            needs=("ears", "voices"),
            after=("rehearsal", "model connection", "silero inference", "smart-turn inference"),
            expected_sec=0.0,
        ),
        Step(name="freeze", run=parts.freeze, after=("spares",), criticality=_OPTIONAL, expected_sec=0.0),
    ]
