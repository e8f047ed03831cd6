"""A model whose optimisation dominates its load: long chains of constants that fold into one matrix a layer.

Exporters leave much of this behind (shapes, masks, positions, scales computed from constants); this one has nothing
else, so that it shows the most that a cache of optimised graphs can gain.
"""

from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper, save

__all__ = ["WIDTH", "write_foldable_model"]

WIDTH = 64
_LAYERS = 200
_FOLDS = 24


def write_foldable_model(path: Path, layers: int = _LAYERS) -> None:
    """x (n, 64) -> y (n, 64): in every layer a matrix that is the end of a chain of constant operations, and a ReLU."""
    random = np.random.default_rng(0)
    constants = [_constant("scale", np.array([0.5])), _constant("turn", random.normal(0, WIDTH**-0.5, (WIDTH, WIDTH)))]
    nodes: list[NodeProto] = []
    for layer in range(layers):
        constants.append(_constant(f"w{layer}", random.normal(0, WIDTH**-0.5, (WIDTH, WIDTH))))
        matrix = _fold(nodes, f"w{layer}")
        heard = "x" if layer == 0 else f"h{layer - 1}"
        nodes.append(helper.make_node("MatMul", [heard, matrix], [f"m{layer}"]))
        nodes.append(helper.make_node("Relu", [f"m{layer}"], ["y" if layer == layers - 1 else f"h{layer}"]))
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in "xy"]
    graph = helper.make_graph(nodes, "foldable", shape[:1], shape[1:], constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def _fold(nodes: list[NodeProto], name: str) -> str:
    """A chain of constant operations on the constant `name`; returns what its end is called."""
    operations = [("MatMul", ["turn"]), ("Mul", ["scale"]), ("Transpose", []), ("Tanh", [])]
    for fold in range(_FOLDS):
        operation, others = operations[fold % len(operations)]
        name, operand = f"{name}+", name
        nodes.append(helper.make_node(operation, [operand, *others], [name]))
    return name


def _constant(name: str, values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)
