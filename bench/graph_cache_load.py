"""One start of `graph_cache.py`: load a model as a service would, and print how many milliseconds that took.

python bench/graph_cache_load.py made|embedded MODEL_FILE CACHE_FOLDER     # no folder: an empty argument
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime  # noqa: F401 - its import is part of the restart, and not of the load

from warmline.models import GraphCache, ModelRegistry, OnnxExercise, OnnxModel

_WIDTH = 64  # of what `foldable_model.py` makes


def main(model: str, path: str, cache_folder: str) -> None:
    """Load and exercise, once."""
    cache = GraphCache(Path(cache_folder)) if cache_folder else None
    load = _embedded if model == "embedded" else _made
    print(load(Path(path), cache))


def _made(path: Path, cache: GraphCache | None) -> float:
    exercise = OnnxExercise({"x": np.ones((1, _WIDTH), np.float32)}, {"y": (1, _WIDTH)})
    began_sec = time.perf_counter()
    ModelRegistry().take_blocking(OnnxModel(path, exercises=(exercise,), cache=cache))
    return (time.perf_counter() - began_sec) * 1000


def _embedded(_: Path, cache: GraphCache | None) -> float:
    from warmline.adapters.pipecat import AnalyzerWeights

    began_sec = time.perf_counter()
    AnalyzerWeights.load(ModelRegistry(), cache).exercise()
    return (time.perf_counter() - began_sec) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
