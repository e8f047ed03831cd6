"""Tiny ONNX models, made by the tests that need them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_model(path: Path, *, seed: int = 0, foldable: int = 4, width: int = 8) -> Path:
    """y = x @ (w0 @ w1 @ ...): the product of the constants is what the optimiser folds."""
    rng = np.random.default_rng(seed)
    weights = [
        numpy_helper.from_array(rng.normal(0, 1 / width, (width, width)).astype(np.float32), f"w{i}")
        for i in range(foldable)
    ]
    folded = [
        helper.make_node("MatMul", [f"p{i - 1}" if i > 1 else "w0", f"w{i}"], [f"p{i}"]) for i in range(1, foldable)
    ]
    nodes = [*folded, helper.make_node("MatMul", ["x", f"p{foldable - 1}"], ["y"])]
    written: Path = save(path, nodes, weights, {"x": (TensorProto.FLOAT, ["n", width])}, {"y": ["n", width]})
    return written


def save(path, nodes, constants, inputs, outputs):
    """Write a graph; `inputs` map names to (type, shape), `outputs` names to shapes of floats."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path
