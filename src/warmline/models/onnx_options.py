"""How an ONNX model is to be run, as a value: it is part of the key of the optimised graph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxOptions"]

_SAVING_IS_DELIBERATE = 3  # log only errors: ONNX Runtime warns that a graph optimised for this machine is saved


@dataclass(frozen=True, slots=True)
class OnnxOptions:
    """Session options of ONNX Runtime.

    `threads`: of one inference. One by default: calls run side by side, more threads only fight over the cores, and a
    session with a single thread survives a fork. `providers`: execution providers, best first; the first must be had.
    `optimisation`: the level of graph optimisation. `dimensions`: fixed sizes of the model's free dimensions, by name.
    `config`: session configuration entries.
    """

    threads: int = 1
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    optimisation: Literal["none", "basic", "extended", "all"] = "all"
    dimensions: tuple[tuple[str, int], ...] = ()
    config: tuple[tuple[str, str], ...] = ()

    def session_options(self) -> "onnxruntime.SessionOptions":
        """As ONNX Runtime wants them."""
        options = self._unoptimised()
        for name, size in self.dimensions:
            options.add_free_dimension_override_by_name(name, size)
        options.graph_optimization_level = _level(self.optimisation)
        return options

    def saving_options(self, path: str) -> "onnxruntime.SessionOptions":
        """The same, and the optimised graph is written to `path` in ONNX Runtime's own format."""
        options = self.session_options()
        options.log_severity_level = _SAVING_IS_DELIBERATE
        options.optimized_model_filepath = path
        options.add_session_config_entry("session.save_model_format", "ORT")
        return options

    def options_for_optimised(self) -> "onnxruntime.SessionOptions":
        """For a graph that was optimised before: nothing is left to do."""
        options = self._unoptimised()
        options.graph_optimization_level = _level("none")
        return options

    def _unoptimised(self) -> "onnxruntime.SessionOptions":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        for name, value in self.config:
            options.add_session_config_entry(name, value)
        return options


def _level(optimisation: str) -> "onnxruntime.GraphOptimizationLevel":
    from onnxruntime import GraphOptimizationLevel

    return {
        "none": GraphOptimizationLevel.ORT_DISABLE_ALL,
        "basic": GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "extended": GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        "all": GraphOptimizationLevel.ORT_ENABLE_ALL,
    }[optimisation]
