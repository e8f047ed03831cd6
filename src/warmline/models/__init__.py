"""Weights loaded once and shared read-only; per-session state stays with the session; compiled graphs cached on disk.

```python
registry, graphs = ModelRegistry(), GraphCache(cache_dir / "graphs")
model = OnnxModel(path, exercises=(OnnxExercise(inputs={"x": x}, outputs={"y": (1, 10)}),), cache=graphs)
shared = await registry.take(model)        # loaded off the loop, once, and verified
shared.weights.run(None, {"x": x})         # an onnxruntime.InferenceSession; any thread, any number of calls
shared.release()                           # the last user frees the memory
```

Needs numpy for `MappedArrays` and `OnnxExercise`, onnxruntime for `OnnxModel.load`; both are imported when used.
"""

from warmline.models.graph_cache import CacheCounts, CachedGraph, GraphCache
from warmline.models.graph_key import GraphKey
from warmline.models.mapped_arrays import MappedArrays
from warmline.models.onnx_exercise import OnnxExercise
from warmline.models.onnx_model import OnnxModel
from warmline.models.onnx_options import OnnxOptions
from warmline.models.registry import LoadedModel, ModelRegistry, RegistryCounts, SharedWeights
from warmline.models.source import ModelSource

__all__ = [
    "CacheCounts",
    "CachedGraph",
    "GraphCache",
    "GraphKey",
    "LoadedModel",
    "MappedArrays",
    "ModelRegistry",
    "ModelSource",
    "OnnxExercise",
    "OnnxModel",
    "OnnxOptions",
    "RegistryCounts",
    "SharedWeights",
]
