"""Arrays are mapped, not copied; whatever a file claims beyond its own end is refused."""

import asyncio
import json
import struct

import numpy as np
import pytest

from warmline.errors import ModelError, WarmUpFailed
from warmline.models import MappedArrays, ModelRegistry

SAMPLE: dict[str, np.ndarray] = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array([[1], [-2]], np.int64),
    "c": np.array(True),
}
NAMES = {"float32": "F32", "int64": "I64", "bool": "BOOL"}


def safetensors(path, **changes):
    header, data = {"__metadata__": {"made_by": "a test"}}, b""
    for name, array in SAMPLE.items():
        start, data = len(data), data + array.tobytes()
        kind = NAMES[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, len(data)]} | changes
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    return path


def mapped(array) -> bool:
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def test_safetensors_are_mapped_read_only(tmp_path):
    source = MappedArrays(safetensors(tmp_path / "m.safetensors"), shapes={"a": (None, 3), "b": (2, 1)})
    with ModelRegistry().take_blocking(source) as shared:
        arrays = shared.weights
        assert set(arrays) == set(SAMPLE)
        for name, array in arrays.items():
            assert mapped(array)
            assert array.dtype == SAMPLE[name].dtype
            np.testing.assert_array_equal(array, SAMPLE[name])
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        with pytest.raises(TypeError):
            arrays["a"] = SAMPLE["a"]


def test_npy_is_mapped_read_only(tmp_path):
    np.save(tmp_path / "voice.npy", SAMPLE["a"])
    arrays = MappedArrays(tmp_path / "voice.npy").load()
    assert mapped(arrays["voice"])
    assert not arrays["voice"].flags.writeable


@pytest.mark.parametrize("shapes", [{"a": (3, 2)}, {"a": (2, 3, 1)}, {"nothing": (1,)}])
def test_another_shape_is_a_failed_warm_up(tmp_path, shapes):
    with pytest.raises(WarmUpFailed, match="instead of"):
        ModelRegistry().take_blocking(MappedArrays(safetensors(tmp_path / "m.safetensors"), shapes))


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "BF16"},
        {"shape": [1_000_000]},
        {"shape": [-2, -3]},
        {"data_offsets": [0, 10**9]},
        {"data_offsets": [8, 0]},
        {"data_offsets": "all"},
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, changes):
    with pytest.raises(ModelError):
        MappedArrays(safetensors(tmp_path / "m.safetensors", **changes)).load()


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, struct.pack("<Q", 4) + b"nope", struct.pack("<Q", 2) + b"[]"])
def test_what_is_no_safetensors_file_is_refused(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ModelError):
        MappedArrays(tmp_path / "m.safetensors").load()


def test_pickles_and_other_formats_are_refused(tmp_path):
    np.save(tmp_path / "m.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match="plain numbers"):
        MappedArrays(tmp_path / "m.npy").load()
    with pytest.raises(ModelError, match="mapped from"):
        MappedArrays(tmp_path / "m.pt").load()


def test_every_taker_has_its_own_shapes_checked_once(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    registry = ModelRegistry()
    held = [registry.take_blocking(MappedArrays(path)), asyncio.run(registry.take(MappedArrays(path, {"a": (3,)})))]
    assert held[0].weights is held[1].weights
    with pytest.raises(WarmUpFailed, match="instead of"):
        registry.take_blocking(MappedArrays(path, {"a": (99,)}))
    with pytest.raises(WarmUpFailed, match="instead of"):
        asyncio.run(registry.take(MappedArrays(path, {"a": (99,)})))
    assert [(each.name, each.users) for each in registry.loaded()] == [("a.npy", 2)]
