"""The general language model, bent towards a scenario: what is said in it is expected, and all else still possible."""

from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np

from warmline.engines.pocketsphinx.backoff_model import BackoffModel, Floats, Grams, Integers
from warmline.engines.pocketsphinx.general_ngrams import GeneralNgrams
from warmline.engines.pocketsphinx.interpolation import interpolated, pruned
from warmline.engines.pocketsphinx.ngram import BEGIN, END, Counts, smoothed

__all__ = ["adapted_model", "scenario_model"]

# Chosen on the tuning sentences of bench/hearing.py; 0.3 to 0.65, and 8,000 to 20,000 words, differ little.
_SCENARIO_SHARE = 0.5
_GENERAL_WORDS = 12_000
# n-grams that occur less than once in ten million words, and hardly differ from what backing off gives.
_PRUNING = 1e-7
# What a scenario's word gets that the general model does not know.
_UNKNOWN_WORD = 1e-7


def adapted_model(counts: Counts, general: GeneralNgrams, pronounced: Container[str]) -> BackoffModel:
    """Half the scenario's model (`counts` of its n-grams), half the general one's most frequent `pronounced` words."""
    words = _vocabulary(counts, general, pronounced)
    return interpolated(
        scenario_model(counts, words), pruned(_restricted(general, words), _PRUNING), first_share=_SCENARIO_SHARE
    )


def scenario_model(counts: Counts, words: Sequence[str] | None = None) -> BackoffModel:
    """What is expected after `counts` alone, over its own words or over `words`; others than its own never come."""
    words = words or sorted({BEGIN, *(gram[-1] for gram in counts)})
    probabilities = smoothed(counts)
    index = {word: place for place, word in enumerate(words)}
    unigrams = np.zeros(len(words))
    for gram, probability in probabilities.items():
        if len(gram) == 1:
            unigrams[index[gram[0]]] = probability
    return BackoffModel.normalised(words, unigrams, *(_listed(probabilities, index, length) for length in (2, 3)))


def _vocabulary(counts: Counts, general: GeneralNgrams, pronounced: Container[str]) -> Sequence[str]:
    by_frequency = (general.words[place] for place in np.argsort(-general.unigrams, kind="stable"))
    frequent = _first(_GENERAL_WORDS, (word for word in by_frequency if word in pronounced))
    return sorted({BEGIN, END, *frequent, *(gram[0] for gram in counts if len(gram) == 1)})


def _first(count: int, words: Iterable[str]) -> list[str]:
    return [word for word, _ in zip(words, range(count), strict=False)]


def _listed(probabilities: Mapping[tuple[str, ...], float], index: Mapping[str, int], length: int) -> Grams:
    found = {gram: probability for gram, probability in probabilities.items() if len(gram) == length}
    keys = np.zeros(len(found), np.int64)
    for place in range(length):
        keys = keys * len(index) + np.array([index[gram[place]] for gram in found], np.int64)
    return Grams.sorted_by_key(keys, np.array(list(found.values())))


def _restricted(general: GeneralNgrams, words: Sequence[str]) -> BackoffModel:
    """The general model over these words alone; what it gave to others is shared out by backing off."""
    index = {word: place for place, word in enumerate(words)}
    places = np.array([index.get(word, -1) for word in general.words], np.int64)
    first, last = places[general.first], places[general.last]
    head = places[general.head]
    within = (first >= 0) & (last >= 0)
    pairs = first * len(words) + last
    all_within = within[general.tail] & (head >= 0)
    triples = head[all_within] * len(words) ** 2 + pairs[general.tail[all_within]]
    return BackoffModel.normalised(
        words,
        _restricted_unigrams(general, places, words),
        Grams.sorted_by_key(pairs[within], general.bigrams[within]),
        Grams.sorted_by_key(triples, general.trigrams[all_within]),
    )


def _restricted_unigrams(general: GeneralNgrams, places: Integers, words: Sequence[str]) -> Floats:
    unigrams = np.full(len(words), _UNKNOWN_WORD)
    unigrams[places[places >= 0]] = general.unigrams[places >= 0]
    unigrams[words.index(BEGIN)] = 0.0
    normalised: Floats = unigrams / unigrams.sum()
    return normalised
