"""Real ONNX Runtime sessions: the same answers from the cached graph, and never from one made for something else."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.models.onnx_files import write_model
from warmline.errors import ModelError, WarmUpFailed
from warmline.models import CacheCounts, GraphCache, ModelRegistry, OnnxExercise, OnnxModel, OnnxOptions
from warmline.models import graph_key as keys

X = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8)
EXERCISE = OnnxExercise({"x": X}, {"y": (2, 8)})


def answer(session):
    [y] = session.run(None, {"x": X})
    return y


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "m.onnx")


@pytest.fixture
def cache(tmp_path):
    return GraphCache(tmp_path / "graphs")


def test_the_cached_graph_answers_as_the_model_does(model, cache):
    plain = answer(OnnxModel(model).load())
    built = answer(OnnxModel(model, cache=cache).load())
    assert cache.counts() == CacheCounts(misses=1, stored=1)
    again = answer(OnnxModel(model, cache=cache).load())
    assert cache.counts() == CacheCounts(misses=1, stored=1, hits=1)
    np.testing.assert_array_equal(plain, built)
    np.testing.assert_array_equal(plain, again)


def test_what_is_cached_is_the_optimised_graph(model, cache, tmp_path):
    optimised = tmp_path / "seen.onnx"
    OnnxModel(model, cache=cache).load()
    [graph] = cache.graphs()
    payload = graph.path.read_bytes().partition(b"\n")[2]
    options = OnnxOptions().options_for_optimised()
    options.optimized_model_filepath = str(optimised)
    onnxruntime.InferenceSession(payload, options, providers=["CPUExecutionProvider"])
    assert len(onnx.load(model).graph.node) == 4
    assert len(onnx.load(optimised).graph.node) == 1


def test_metadata_survives_the_cache(model, cache):
    document = onnx.load(model)
    onnx.helper.set_model_props(document, {"vocabulary": '{"a": 1}'})
    onnx.save(document, model)
    for _ in range(2):
        session = OnnxModel(model, cache=cache).load()
        assert session.get_modelmeta().custom_metadata_map == {"vocabulary": '{"a": 1}'}
    assert cache.counts().hits == 1


def test_another_model_under_the_same_name_is_built_anew(model, cache):
    OnnxModel(model, cache=cache).load()
    write_model(model, seed=1)
    changed = answer(OnnxModel(model, cache=cache).load())
    np.testing.assert_array_equal(changed, answer(OnnxModel(model).load()))
    assert cache.counts() == CacheCounts(misses=2, stored=2)


@pytest.mark.parametrize(
    "options",
    [
        OnnxOptions(threads=2),
        OnnxOptions(optimisation="basic"),
        OnnxOptions(dimensions=(("n", 2),)),
        OnnxOptions(config=(("session.set_denormal_as_zero", "1"),)),
    ],
)
def test_other_options_are_another_graph(model, cache, options):
    OnnxModel(model, cache=cache).load()
    session = OnnxModel(model, options, cache=cache).load()
    np.testing.assert_allclose(answer(session), answer(OnnxModel(model).load()), rtol=1e-5)
    assert cache.counts() == CacheCounts(misses=2, stored=2)


def test_another_runtime_or_machine_is_another_graph(model, cache, monkeypatch, tmp_path):
    OnnxModel(model, cache=cache).load()
    monkeypatch.setattr(onnxruntime, "__version__", "0.0.1")
    OnnxModel(model, cache=cache).load()
    (tmp_path / "cpuinfo").write_text("model name\t: Another\nflags\t\t: fpu sse\n")
    monkeypatch.setattr(keys, "_CPUINFO", tmp_path / "cpuinfo")
    OnnxModel(model, cache=cache).load()
    (tmp_path / "cpuinfo").write_text("model name\t: Another\nflags\t\t: fpu sse avx512f\n")
    OnnxModel(model, cache=cache).load()
    assert cache.counts() == CacheCounts(misses=4, stored=4)


def test_gpus_and_their_driver_are_part_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(keys, "_NVIDIA", tmp_path)
    without = keys.machine_fingerprint()
    (tmp_path / "gpus" / "0").mkdir(parents=True)
    (tmp_path / "gpus" / "0" / "information").write_text("Model: \t NVIDIA H200\nIRQ: 5\n")
    (tmp_path / "version").write_text("NVRM version: 570.1\nGCC version: 12\n")
    first = keys.machine_fingerprint()
    (tmp_path / "gpus" / "0" / "information").write_text("Model: \t NVIDIA H200\nIRQ: 6\n")
    assert keys.machine_fingerprint() == first
    (tmp_path / "version").write_text("NVRM version: 570.2\nGCC version: 12\n")
    assert len({without, first, keys.machine_fingerprint()}) == 3


def test_a_graph_that_the_runtime_refuses_is_built_anew(model, cache):
    OnnxModel(model, cache=cache).load()
    key = keys.graph_key(model.read_bytes(), OnnxOptions())
    cache.put(key, b"whole and ours, but no graph", label="m.onnx")
    np.testing.assert_array_equal(answer(OnnxModel(model, cache=cache).load()), answer(OnnxModel(model).load()))
    assert cache.counts() == CacheCounts(misses=1, hits=1, rejected=1, stored=3)
    OnnxModel(model, cache=cache).load()
    assert cache.counts().hits == 2


def test_a_cache_that_can_not_be_used_costs_nothing_but_time(model, tmp_path):
    (tmp_path / "file").write_text("")
    session = OnnxModel(model, cache=GraphCache(tmp_path / "file" / "graphs")).load()
    np.testing.assert_array_equal(answer(session), answer(OnnxModel(model).load()))


def test_weights_in_another_file_are_not_cached_since_the_key_would_not_see_them(model, cache):
    onnx.save(onnx.load(model), model, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (model.parent / "weights.bin").stat().st_size > 0
    np.testing.assert_allclose(answer(OnnxModel(model, cache=cache).load()), answer(OnnxModel(model).load()))
    assert cache.counts() == CacheCounts()


def test_the_registry_loads_it_once_and_proves_it(model, cache):
    registry = ModelRegistry()
    source = OnnxModel(model, exercises=(EXERCISE,), cache=cache)
    with registry.take_blocking(source) as first, registry.take_blocking(OnnxModel(model)) as second:
        assert first.weights is second.weights
    assert (registry.counts().loaded, registry.counts().released) == (1, 1)


@pytest.mark.parametrize(
    ("exercise", "complaint"),
    [
        (OnnxExercise({"x": X}, {"y": (2, 9)}), r"shape \(2, 8\) instead of \(2, 9\)"),
        (OnnxExercise({"x": X}, {"y": (2, None, 1)}), "instead of"),
        (OnnxExercise({"x": X[:0]}, {"y": (0, 8)}), r"shape \(0, 8\)"),
        (OnnxExercise({"x": X * np.nan}, {"y": (2, 8)}), "no numbers"),
    ],
)
def test_an_inference_that_gives_something_else_is_a_failed_warm_up(model, exercise, complaint):
    with pytest.raises(WarmUpFailed, match=complaint):
        ModelRegistry().take_blocking(OnnxModel(model, exercises=(exercise,)))


def test_a_model_that_is_none_or_missing_says_so(tmp_path, cache):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    for path in (tmp_path / "m.onnx", tmp_path / "missing.onnx"):
        for kept in (cache, None):
            with pytest.raises(ModelError, match=r"(m|missing)\.onnx did not load") as raised:
                ModelRegistry().take_blocking(OnnxModel(path, cache=kept))
            assert raised.value.__cause__ is not None
    assert cache.graphs() == []


def test_a_provider_that_can_not_be_had_is_no_silent_fallback(model):
    with pytest.raises(ModelError):
        ModelRegistry().take_blocking(OnnxModel(model, OnnxOptions(providers=("CUDAExecutionProvider",))))


def test_importing_the_package_loads_no_runtime():
    code = "import sys, warmline.models; print({'numpy', 'onnxruntime', 'ctranslate2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
