"""NumPy arrays that stay in the page cache: every process that maps a file shares one copy of it."""

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from warmline.errors import ModelError, WarmUpFailed

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray[Any, Any]]

__all__ = ["MappedArrays"]

_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_LENGTH = struct.Struct("<Q")
# Types of the safetensors format that NumPy has (it has no bfloat16 and no 8-bit floats).
_TYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}


@dataclass(frozen=True, slots=True)
class MappedArrays:
    """A `ModelSource` of read-only arrays by name, from a `.npy` or a `.safetensors` file, mapped and not read.

    The safetensors library copies what it reads (500 MB x 4 processes = 2 GB instead of 556 MiB), so the file is
    mapped here: eight bytes of header length, a JSON header of types, shapes and offsets, then the data
    (https://github.com/huggingface/safetensors#format). A `.npy` file gives one array, called by the file's stem.
    `shapes`: what must be in it, None for a size that may vary; it is what `exercise` proves, and every page is read.
    """

    path: Path
    shapes: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def proof(self) -> object:
        """What its exercise proves."""
        return dict(self.shapes)

    def load(self) -> "Arrays":
        """Map the file.

        Raises:
            ModelError: it is of neither format, cut short, or of a type that NumPy does not have.
            OSError: it cannot be read.
        """
        readers: Mapping[str, Callable[[Path], Arrays]] = {".npy": _map_npy, ".safetensors": _map_safetensors}
        if self.path.suffix not in readers:
            raise ModelError(f"{self.name}: arrays are mapped from .npy or .safetensors files")
        return MappingProxyType(readers[self.path.suffix](self.path))

    def exercise(self, weights: "Arrays") -> None:
        """Read every page once, so that no call waits for the disk, and check the shapes.

        Raises:
            WarmUpFailed: an array is missing or has another shape.
        """
        for name, wanted in self.shapes.items():
            shape = weights[name].shape if name in weights else None
            if shape is None or not _fits(shape, wanted):
                raise WarmUpFailed(f"{self.name} has {name} of shape {shape} instead of {wanted}")
        for array in weights.values():
            array.max(initial=array.dtype.type(0))

    def release(self, weights: "Arrays") -> None:
        """The mapping ends with its last reference."""


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, size) for size, want in zip(shape, wanted, strict=True))


def _map_npy(path: Path) -> "Arrays":
    import numpy as np

    try:
        return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
    except ValueError as error:
        raise ModelError(f"{path.name} is no .npy file of plain numbers") from error


def _map_safetensors(path: Path) -> "Arrays":
    import numpy as np

    header, data_start = _read_header(path)
    if data_start == path.stat().st_size:
        raise ModelError(f"{path.name} holds no data")
    data = np.memmap(path, mode="r", offset=data_start)
    return {name: _view(data, name, entry) for name, entry in header.items() if name != "__metadata__"}


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    with path.open("rb") as file:
        prefix = file.read(_LENGTH.size)
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
        if not 2 <= length <= _MAX_HEADER_BYTES:
            raise ModelError(f"{path.name} is no safetensors file")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise ModelError(f"{path.name} is no safetensors file") from error
    if not isinstance(header, dict):
        raise ModelError(f"{path.name} is no safetensors file")
    return header, _LENGTH.size + length


def _view(data: "np.ndarray[Any, Any]", name: str, entry: Any) -> "np.ndarray[Any, Any]":
    import numpy as np

    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [int(start), int(end)]} if kind in _TYPES:
            dtype = np.dtype(_TYPES[kind])
        case _:
            raise ModelError(f"{name!r} is of a type that NumPy does not have, or not described at all")
    sizes_are_whole = all(isinstance(size, int) and size >= 0 for size in shape)
    if not (sizes_are_whole and 0 <= start <= end <= len(data) and end - start == math.prod(shape) * dtype.itemsize):
        raise ModelError(f"{name!r} does not lie within the file as its header says")
    return data[start:end].view(dtype).reshape(shape)
