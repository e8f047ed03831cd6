"""A first inference with inputs of the shapes of a call, and what its outputs must look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmline.errors import WarmUpFailed

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

__all__ = ["OnnxExercise"]


@dataclass(frozen=True, slots=True, eq=False)
class OnnxExercise:
    """`inputs`: by name; `outputs`: the shape that each named output must have, None for a size that may vary."""

    inputs: Mapping[str, "np.ndarray[Any, Any]"]
    outputs: Mapping[str, tuple[int | None, ...]]

    def run(self, session: "onnxruntime.InferenceSession", name: str) -> None:
        """Infer once and check what came.

        Raises:
            WarmUpFailed: an output has another shape, no elements, or a number that is none.
        """
        given = session.run(list(self.outputs), dict(self.inputs))
        for (output, wanted), array in zip(self.outputs.items(), given, strict=True):
            if not _fits(array.shape, wanted) or array.size == 0:
                raise WarmUpFailed(f"{name} gave {output} of shape {array.shape} instead of {wanted}")
            if not _finite(array):
                raise WarmUpFailed(f"{name} gave {output} with values that are no numbers")


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, size) for size, want in zip(shape, wanted, strict=True))


def _finite(array: "np.ndarray[Any, Any]") -> bool:
    import numpy as np

    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
