"""A Kokoro that hums, or says one recorded thing: a graph with Kokoro's inputs and outputs, and a file of voices."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.models.onnx_files import save

STYLE_WIDTH = 256
SAMPLES_PER_TOKEN = 1200
MAX_TOKENS = 510


def write_tiny_kokoro(folder: Path, *, silent: bool = False) -> tuple[Path, Path]:
    """(model, voices). Each token is 50 ms of a tone, as loud as the token and the voice say."""
    folder.mkdir(exist_ok=True)
    voices = folder / "voices.npz"
    # One style for every number of tokens, as in the real file.
    low = np.full((MAX_TOKENS, 1, STYLE_WIDTH), 0.5, np.float32)
    np.savez(voices, low=low, high=2 * low)
    tone = np.zeros(SAMPLES_PER_TOKEN) if silent else np.sin(np.arange(SAMPLES_PER_TOKEN) / 5)
    constants = [
        numpy_helper.from_array(tone.astype(np.float32).reshape(1, -1), "tone"),
        numpy_helper.from_array(np.array([-1, 1]), "column"),
        numpy_helper.from_array(np.array([-1]), "flat"),
        numpy_helper.from_array(np.array(1 / 256, np.float32), "scale"),
    ]
    nodes = [
        helper.make_node("Cast", ["tokens"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["numbers", "column"], ["per_token"]),
        helper.make_node("Mul", ["per_token", "scale"], ["levels"]),
        helper.make_node("ReduceMean", ["style"], ["voice"], keepdims=0),
        helper.make_node("Mul", ["levels", "voice"], ["loud"]),
        helper.make_node("MatMul", ["loud", "tone"], ["spoken"]),
        helper.make_node("Div", ["spoken", "speed"], ["paced"]),
        helper.make_node("Reshape", ["paced", "flat"], ["audio"]),
    ]
    inputs = {
        "tokens": (TensorProto.INT64, [1, "n"]),
        "style": (TensorProto.FLOAT, [1, STYLE_WIDTH]),
        "speed": (TensorProto.FLOAT, [1]),
    }
    model: Path = save(folder / "kokoro.onnx", nodes, constants, inputs, {"audio": ["samples"]})
    return model, voices


def write_parrot_kokoro(folder: Path, recording: np.ndarray) -> tuple[Path, Path]:
    """(model, voices). Whatever the text, it says `recording` (-1..1, 24 kHz), as loud as the voice."""
    model, voices = write_tiny_kokoro(folder)
    nodes = [
        helper.make_node("ReduceMean", ["style"], ["voice"], keepdims=0),
        helper.make_node("Mul", ["recording", "voice"], ["spoken"]),
        helper.make_node("Div", ["spoken", "speed"], ["audio"]),
    ]
    inputs = {
        "tokens": (TensorProto.INT64, [1, "n"]),
        "style": (TensorProto.FLOAT, [1, STYLE_WIDTH]),
        "speed": (TensorProto.FLOAT, [1]),
    }
    constants = [numpy_helper.from_array(recording.astype(np.float32), "recording")]
    save(model, nodes, constants, inputs, {"audio": ["samples"]})
    return model, voices
