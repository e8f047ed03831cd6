"""What an optimised graph depends on: anything else than exactly this gives another graph."""

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.models.onnx_options import OnnxOptions

__all__ = ["GraphKey", "graph_key"]

_CPUINFO = Path("/proc/cpuinfo")
_NVIDIA = Path("/proc/driver/nvidia")
# x86 names its features "flags", ARM "Features"; the rest tells the models of processors apart.
_CPU_FIELDS = ("vendor_id", "model name", "flags", "Features", "CPU implementer", "CPU part", "isa")


@dataclass(frozen=True, slots=True)
class GraphKey:
    """All of it as text. `model_sha256`: of the model's file; `machine`: hash of the processor's features and GPUs."""

    model_sha256: str
    runtime: str
    options: str
    machine: str

    def digest(self) -> str:
        """64 hexadecimal digits that name this key."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def graph_key(model: bytes, options: "OnnxOptions") -> GraphKey:
    """The key of `model` (the content of its file) run with `options` by this process on this machine.

    Layout optimisations depend on the processor's instruction sets, so a cache on a shared or copied disk must not
    give a graph to another kind of machine (ONNX Runtime, "Graph optimizations", offline mode).
    """
    import onnxruntime

    return GraphKey(
        model_sha256=hashlib.sha256(model).hexdigest(),
        runtime=f"onnxruntime {onnxruntime.__version__} {onnxruntime.get_build_info()}",
        options=json.dumps(asdict(options), sort_keys=True),
        machine=machine_fingerprint(),
    )


def machine_fingerprint() -> str:
    """Hash of what this machine's processor can do, and of its NVIDIA GPUs and their driver if it has any."""
    parts = [platform.system(), platform.machine(), *_processor(), *_gpus()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _processor() -> list[str]:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux, where asking `platform` would start a process
        return [platform.processor()]
    fields = ((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return sorted({f"{name}={value}" for name, value in fields if name in _CPU_FIELDS})


def _gpus() -> Iterator[str]:
    for path in sorted([*_NVIDIA.glob("version"), *_NVIDIA.glob("gpus/*/information")]):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield from (line for line in text.splitlines() if line.startswith(("NVRM", "Model")))
