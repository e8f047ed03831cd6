"""The turn models: loaded once, the same answers from the cached graphs, and no state shared between calls."""

import numpy as np
import pytest
from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.vad.vad_analyzer import VADParams

from warmline.adapters.pipecat import AnalyzerWeights
from warmline.models import CacheCounts, GraphCache, ModelRegistry, RegistryCounts

RANDOM = np.random.default_rng(3)
AUDIO = (RANDOM.normal(0, 0.2, 16_000) * np.sin(np.arange(16_000) / 40)).astype(np.float32)


@pytest.fixture(scope="module")
def plain():
    return AnalyzerWeights.load()


def confidences(weights, audio=AUDIO):
    analyzer = weights.vad(VADParams())
    analyzer.set_sample_rate(16_000)
    windows = (audio * 32_767).astype(np.int16)[: 512 * 30].reshape(-1, 512)
    return [float(np.asarray(analyzer.voice_confidence(window.tobytes())).item()) for window in windows]


def probability(weights):
    return weights.turn(SmartTurnParams())._predict_endpoint(AUDIO)["probability"]


def test_cached_graphs_give_the_answers_of_the_models(plain, tmp_path):
    for _ in range(2):
        cache = GraphCache(tmp_path / "graphs")
        weights = AnalyzerWeights.load(ModelRegistry(), cache)
        weights.exercise()
        assert confidences(weights) == pytest.approx(confidences(plain), abs=1e-6)
        assert probability(weights) == pytest.approx(probability(plain), abs=1e-6)
    assert cache.counts() == CacheCounts(hits=2)
    assert sorted(graph.label for graph in cache.graphs()) == ["silero_vad.onnx", "smart-turn-v3.2-cpu.onnx"]


def test_two_takers_share_both_models():
    registry = ModelRegistry()
    first, second = AnalyzerWeights.load(registry), AnalyzerWeights.load(registry)
    assert first.silero is second.silero
    assert first.smart_turn is second.smart_turn
    assert registry.counts() == RegistryCounts(loaded=2, shared=2)


def test_a_call_does_not_hear_the_one_beside_it(plain):
    alone = confidences(plain)
    # As many windows of another caller's between any two of this one's.
    ours, theirs = plain.vad(VADParams()), plain.vad(VADParams())
    for analyzer in (ours, theirs):
        analyzer.set_sample_rate(16_000)
    windows = (AUDIO * 32_767).astype(np.int16)[: 512 * 30].reshape(-1, 512)
    interleaved = []
    for window, other in zip(windows, windows[::-1], strict=True):
        interleaved.append(float(np.asarray(ours.voice_confidence(window.tobytes())).item()))
        theirs.voice_confidence(other.tobytes())
    assert interleaved == alone
    assert len(set(alone)) > 10
