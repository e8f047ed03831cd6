"""An ONNX model as shared weights: its session, from the graph cache when that has it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from warmline.errors import ModelError
from warmline.models.graph_cache import GraphCache
from warmline.models.graph_key import GraphKey, graph_key
from warmline.models.onnx_exercise import OnnxExercise
from warmline.models.onnx_options import OnnxOptions

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxModel"]

_log = logging.getLogger(__name__)
# onnx.proto: TensorProto.external_data is a list of StringStringEntryProto; this is its key field (tag 1, length 8).
_EXTERNAL_DATA = b"\x0a\x08location\x12"


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A `ModelSource` of `onnxruntime.InferenceSession`, which is read-only and may be run by any thread.

    Without `exercises` it counts as loaded, but nothing was proved: pass one for every shape that is served.
    A recurrent model's state is an input and an output of every run: it belongs to the session, never to the weights.
    Models with weights in files beside them (external data) are loaded without the cache, whose key would not see them.
    """

    path: Path
    options: OnnxOptions = field(default_factory=OnnxOptions)
    exercises: Sequence[OnnxExercise] = field(default=(), compare=False)
    cache: GraphCache | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def proof(self) -> object:
        """What its exercises prove: the same ones prove the same."""
        return tuple(self.exercises)

    def load(self) -> "onnxruntime.InferenceSession":
        """The session, from its optimised graph if the cache has one. Blocks.

        Raises:
            ModelError: the best of the wanted execution providers could not be had.
            Exception: ONNX Runtime could not load the model.
        """
        session = self._from_path() if self.cache is None else self._through(self.cache)
        if session.get_providers()[0] != self.options.providers[0]:
            raise ModelError(f"{self.name} runs on {session.get_providers()[0]} instead of {self.options.providers[0]}")
        return session

    def exercise(self, weights: "onnxruntime.InferenceSession") -> None:
        """Run every exercise once.

        Raises:
            WarmUpFailed: one gave something else than it has to.
        """
        for exercise in self.exercises:
            exercise.run(weights, self.name)

    def release(self, weights: "onnxruntime.InferenceSession") -> None:
        """The session frees its memory with its last reference."""

    def _from_path(self) -> "onnxruntime.InferenceSession":
        return _session(str(self.path), self.options.session_options(), self.options)

    def _through(self, cache: GraphCache) -> "onnxruntime.InferenceSession":
        model = self.path.read_bytes()
        if _EXTERNAL_DATA in model:
            return self._from_path()
        key = graph_key(model, self.options)
        optimised = cache.get(key)
        if optimised is not None:
            try:
                return _session(optimised, self.options.options_for_optimised(), self.options)
            except Exception as failure:  # ONNX Runtime's errors have no common family
                _log.warning("cached graph of %s is unusable (%s): made anew", self.name, type(failure).__name__)
                cache.reject(key)
        return self._build(model, key, cache)

    def _build(self, model: bytes, key: GraphKey, cache: GraphCache) -> "onnxruntime.InferenceSession":
        """Optimise, and leave the optimised graph to the next start. No failure of the cache fails the model."""
        try:
            with cache.scratch_file() as file:
                session = _session(model, self.options.saving_options(str(file)), self.options)
                cache.put(key, file.read_bytes(), label=self.name)
                return session
        except Exception as failure:
            _log.warning("the optimised graph of %s was not kept (%s)", self.name, type(failure).__name__)
        return _session(model, self.options.session_options(), self.options)


def _session(
    model: str | bytes, session_options: "onnxruntime.SessionOptions", options: OnnxOptions
) -> "onnxruntime.InferenceSession":
    import onnxruntime

    return onnxruntime.InferenceSession(model, session_options, providers=list(options.providers))
