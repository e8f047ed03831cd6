"""What `warmline serve` loads: all of it is listed here, and what the configuration does not use is never loaded."""

import sys

import pytest

from tests.agent.loaded_modules import modules_of_a_server

# Top-level modules outside the standard library, of the default configuration: the embedded stack, warmed.
# Before one is added: which part needs it, and can that part load it when it is used?
EXPECTED = {
    "warmline",
    # the command and its settings
    *("click", "annotated_types", "dotenv", "platformdirs", "pydantic", "pydantic_core", "pydantic_settings"),
    *("typing_extensions", "typing_inspection"),
    # the server
    *("anyio", "h11", "idna", "starlette", "uvicorn", "websockets"),
    # the language model's client; HTTP/2 and SOCKS only where they are installed
    *("h2", "hpack", "httpcore2", "httpx2", "hyperframe", "jiter", "openai", "sniffio", "socksio", "truststore"),
    # the pipeline and what its modules import at their top
    *("PIL", "aiofiles", "attr", "docstring_parser"),
    # of this only the name, until somebody uses it
    "aiohttp",
    *(
        "loguru",
        "loudness",
        "num2words",
        "opentelemetry",
        "pipecat",
        "sentencex",
        "wait_for2",
    ),
    "audioop",
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
    """Of a real server, from its start over its warm-up to its end by SIGTERM."""
    return modules_of_a_server(tmp_path_factory.mktemp("serve"))


def foreign(modules: set[str]) -> set[str]:
    top = {name.partition(".")[0] for name in modules}
    return {name for name in top - sys.stdlib_module_names if not name.startswith("_")}


def test_nothing_is_loaded_that_is_not_listed(loaded: set[str]) -> None:
    assert sorted(foreign(loaded) - EXPECTED) == []


def test_what_is_not_used_is_not_loaded(loaded: set[str]) -> None:
    assert loaded & NEVER == set()
    assert set() == EXPECTED & NEVER
    assert [name for name in loaded if name.startswith(("warmline.engines.whisper", "warmline.engines.kokoro"))] == []


def test_the_list_is_of_a_server_that_was_warm(loaded: set[str]) -> None:
    """Otherwise the tests above would be true of anything."""
    assert {"warmline", "pipecat", "onnxruntime", "openai", "starlette", "uvicorn", "numpy"} <= loaded
