"""A trigram model as arrays: its n-grams, and the back-off weights that make what it does not list sum to one.

    p(w | u v) = listed, or else  a(u v) p(w | v)      p(w | v) = listed, or else  a(v) p(w)
    a(h) = (1 - sum of listed p(w | h)) / (1 - sum of p(w | shorter h) over the same w)

(Katz 1987; in the notation of Chen and Goodman 1999, section 2.3. A history that begins no listed n-gram has weight 1.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["BackoffModel", "Flags", "Floats", "Grams", "Integers"]

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

# Rounded probabilities can add up to a little more than one; a weight is never zero, or words could not be reached.
_LEAST_REST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """N-grams of one length and their probabilities. A key is the word indices as digits, to the base of the
    vocabulary's size; keys are sorted and unique."""

    keys: Integers
    probabilities: Floats

    @classmethod
    def sorted_by_key(cls, keys: Integers, probabilities: Floats) -> Self:
        """From n-grams in any order."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], probabilities[order])

    def find(self, keys: Integers) -> tuple[Integers, Flags]:
        """The place of each of `keys`, and whether it is there; the place of one that is not means nothing."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys

    def probability(self, keys: Integers, otherwise: Floats) -> Floats:
        """The listed probability of each key, or else the one given for it."""
        if not len(self.keys):
            return otherwise
        places, listed = self.find(keys)
        found: Floats = np.where(listed, self.probabilities[places], otherwise)
        return found

    def only(self, kept: Flags) -> "Grams":
        """Without those that are not `kept`."""
        return Grams(self.keys[kept], self.probabilities[kept])


@dataclass(frozen=True, slots=True, eq=False)
class BackoffModel:
    """`words[i]` is the word of index i. Probabilities are not logarithms. Make one with `normalised`."""

    words: Sequence[str]
    unigrams: Floats
    bigrams: Grams
    trigrams: Grams
    after_word: Floats
    after_pair: Floats

    @classmethod
    def normalised(cls, words: Sequence[str], unigrams: Floats, bigrams: Grams, trigrams: Grams) -> Self:
        """Compute the back-off weights. Trigrams without their two bigrams (u v and v w) are left out."""
        size = len(words)
        firsts, seconds = np.divmod(bigrams.keys, size)
        after_word = _weights(firsts, bigrams.probabilities, unigrams[seconds], size)
        pairs, thirds = np.divmod(trigrams.keys, size)
        first_places, first_there = bigrams.find(pairs)
        last_places, last_there = bigrams.find(pairs % size * size + thirds)
        reached = first_there & last_there
        trigrams = trigrams.only(reached)
        shorter = bigrams.probabilities[last_places[reached]]
        after_pair = _weights(first_places[reached], trigrams.probabilities, shorter, len(bigrams.keys))
        return cls(words, unigrams, bigrams, trigrams, after_word, after_pair)

    def bigram_probability(self, keys: Integers) -> Floats:
        """p(second | first), listed or not."""
        firsts, seconds = np.divmod(keys, len(self.words))
        return self.bigrams.probability(keys, self.after_word[firsts] * self.unigrams[seconds])

    def trigram_probability(self, keys: Integers) -> Floats:
        """p(third | first second), listed or not."""
        size = len(self.words)
        pairs, thirds = np.divmod(keys, size)
        shorter = self.bigram_probability(pairs % size * size + thirds)
        if not len(self.bigrams.keys):
            return shorter
        places, there = self.bigrams.find(pairs)
        return self.trigrams.probability(keys, np.where(there, self.after_pair[places], 1.0) * shorter)


def _weights(histories: Integers, listed: Floats, shorter: Floats, count: int) -> Floats:
    rest = 1 - np.bincount(histories, listed, count)
    shorter_rest = 1 - np.bincount(histories, shorter, count)
    weights: Floats = np.maximum(rest, _LEAST_REST) / np.maximum(shorter_rest, _LEAST_REST)
    return weights
