"""What `warmline serve` loads: all of it is listed here, and what the configuration does not use is never loaded."""

import os
import signal
import subprocess
import sys

import pytest

from tests.shared_cache import shared_cache

SERVE_AND_LIST = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules})))
from warmline.cli import main
sys.exit(main(["serve", "--port", "0"]))
"""

# Top-level modules outside the standard library, of the default configuration: the embedded stack, warmed.
# Before one is added: which part needs it, and can that part load it when it is used?
EXPECTED = {
    "warmline",
    # the command and its settings
    *("click", "annotated_types", "dotenv", "platformdirs", "pydantic", "pydantic_core", "pydantic_settings"),
    *("typing_extensions", "typing_inspection"),
    # the server
    *("annotated_doc", "anyio", "fastapi", "h11", "idna", "starlette", "uvicorn", "websockets"),
    # the language model's client; HTTP/2 and SOCKS only where they are installed
    *("h2", "hpack", "httpcore2", "httpx2", "hyperframe", "jiter", "openai", "sniffio", "socksio", "truststore"),
    # the pipeline and what its modules import at their top
    *("PIL", "aiofiles", "aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "attrs", "docstring_parser", "frozenlist"),
    *(
        "loguru",
        "loudness",
        "multidict",
        "num2words",
        "opentelemetry",
        "pipecat",
        "propcache",
        "sentencex",
        "wait_for2",
    ),
    *("yarl", "audioop"),
    # the models, and sound-alike names
    *("cython_runtime", "flatbuffers", "jellyfish", "numpy", "onnxruntime", "soxr"),
}
# Installed beside the default configuration, or brought by Pipecat, and not used by it.
NEVER = {
    "aiortc",
    "av",
    "ctranslate2",
    "cv2",
    "faster_whisper",
    "huggingface_hub",
    "kokoro_onnx",
    "llvmlite",
    "matplotlib",
    "numba",
    "onnx",
    "phonemizer",
    "ray",
    "resampy",
    "scipy",
    "sounddevice",
    "tokenizers",
    "torch",
    "transformers",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Top-level modules of a real server, from its start over its warm-up to its end by SIGTERM."""
    folder = tmp_path_factory.mktemp("serve")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "OPENAI_"))}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE_AND_LIST],
        cwd=folder,
        env={
            **kept,
            "XDG_CACHE_HOME": str(shared_cache(folder)),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        before = []
        for line in server.stdout:
            before.append(line)
            if line.startswith("Call it:"):
                server.send_signal(signal.SIGTERM)
                break
        after = server.stdout.read()
    assert (server.returncode, "MODULES" in after) == (0, True), before
    return set(after.rpartition("MODULES ")[2].split())


def foreign(modules: set[str]) -> set[str]:
    return {name for name in modules - sys.stdlib_module_names if not name.startswith("_")}


def test_nothing_is_loaded_that_is_not_listed(loaded: set[str]) -> None:
    assert sorted(foreign(loaded) - EXPECTED) == []


def test_what_is_not_used_is_not_loaded(loaded: set[str]) -> None:
    assert loaded & NEVER == set()
    assert set() == EXPECTED & NEVER


def test_the_list_is_of_a_server_that_was_warm(loaded: set[str]) -> None:
    """Otherwise the tests above would be true of anything."""
    assert {"warmline", "pipecat", "onnxruntime", "openai", "fastapi", "uvicorn", "numpy"} <= loaded
