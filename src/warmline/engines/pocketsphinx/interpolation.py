"""Two language models as one that trusts each by a share; a model without the n-grams that hardly matter."""

import numpy as np

from warmline.engines.pocketsphinx.backoff_model import BackoffModel, Flags, Floats, Grams, Integers

__all__ = ["interpolated", "pruned"]

_TINY = 1e-12


def interpolated(first: BackoffModel, second: BackoffModel, *, first_share: float) -> BackoffModel:
    """p = share * p_first + (1 - share) * p_second for every n-gram that either lists (Jelinek and Mercer 1980).

    Both must have the same `words`.
    """

    def mix(of_first: Floats, of_second: Floats) -> Floats:
        return first_share * of_first + (1 - first_share) * of_second

    pairs = _union(first.bigrams.keys, second.bigrams.keys)
    triples = _union(first.trigrams.keys, second.trigrams.keys)
    return BackoffModel.normalised(
        first.words,
        mix(first.unigrams, second.unigrams),
        Grams(pairs, mix(first.bigram_probability(pairs), second.bigram_probability(pairs))),
        Grams(triples, mix(first.trigram_probability(triples), second.trigram_probability(triples))),
    )


def _union(keys: Integers, others: Integers) -> Integers:
    """Both without repetition, sorted; NumPy's own goes through a hash table, which takes five times as long."""
    both = np.sort(np.concatenate((keys, others)), kind="stable")
    union: Integers = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
    return union


def pruned(model: BackoffModel, threshold: float) -> BackoffModel:
    """Without n-grams whose probability is close to what backing off would give, weighted by how often they occur.

    An n-gram stays when p(h w) |ln p(w | h) - ln p_backed_off(w | h)| > `threshold`: the leading term of the loss of
    relative entropy (Stolcke 1998).
    """
    size = len(model.words)
    firsts, seconds = np.divmod(model.bigrams.keys, size)
    backed_off = model.after_word[firsts] * model.unigrams[seconds]
    occurs = model.unigrams[firsts] * model.bigrams.probabilities
    bigrams = model.bigrams.only(_matters(occurs, model.bigrams.probabilities, backed_off, threshold))
    pairs, thirds = np.divmod(model.trigrams.keys, size)
    places, _ = model.bigrams.find(pairs)
    backed_off = model.after_pair[places] * model.bigram_probability(pairs % size * size + thirds)
    occurs = model.unigrams[pairs // size] * model.bigrams.probabilities[places] * model.trigrams.probabilities
    trigrams = model.trigrams.only(_matters(occurs, model.trigrams.probabilities, backed_off, threshold))
    return BackoffModel.normalised(model.words, model.unigrams, bigrams, trigrams)


def _matters(occurs: Floats, listed: Floats, backed_off: Floats, threshold: float) -> Flags:
    difference = np.log(np.maximum(listed, _TINY)) - np.log(np.maximum(backed_off, _TINY))
    matters: Flags = occurs * np.abs(difference) > threshold
    return matters
