"""pocketsphinx's general English language model, read from its file into arrays.

pocketsphinx can score with its model but not list it (its own ARPA writer crashes on this file), so the binary file is
read here. Layout, little endian (pocketsphinx 5, src/lm: ngram_model_trie.c, lm_trie.c, lm_trie_quant.c):

    "Trie Language Model", order (1 byte), number of n-grams by length (order x 4 bytes)
    quantisation kind (4 bytes); tables of 2^16 floats: bigram probabilities and back-off weights, trigram probabilities
    unigrams, and one more to close the last range: probability, back-off weight (floats), first bigram (4 bytes)
    bigrams, packed: word, back-off index (16 bits), probability index (16 bits), first trigram
    trigrams, packed: word, probability index (16 bits)
    length of the words (4 bytes); the words, each closed by a zero byte

The trie is rooted in the *last* word: children of unigram w are the v of p(w | v), and theirs the u of p(w | u v).
Packed fields are as wide as their greatest value needs, entries follow each other without a gap, and each packed block
is closed by 8 spare bytes. Probabilities are logarithms to the base 1.0001.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from warmline.engines.pocketsphinx.backoff_model import Floats, Integers

__all__ = ["GeneralNgrams", "read_general_ngrams"]

_MAGIC = b"Trie Language Model"
_TABLE_SIZE = 1 << 16
_INDEX_BITS = 16
_SPARE_BYTES = 8
_LN_BASE = np.log(1.0001)
_UNIGRAM = np.dtype([("probability", "<f4"), ("backoff", "<f4"), ("first_bigram", "<u4")])

_Bytes: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class GeneralNgrams:
    """Probabilities (no logarithms). Bigram i is p(words[last[i]] | words[first[i]]); trigram j is that of the bigram
    `tail[j]` (its two last words) after `head[j]`."""

    words: list[str]
    unigrams: Floats
    first: Integers
    last: Integers
    bigrams: Floats
    head: Integers
    tail: Integers
    trigrams: Floats


def read_general_ngrams(path: Path) -> GeneralNgrams:
    """Read the file.

    Raises:
        ValueError: it is laid out in another way.
    """
    return _Reader(path.read_bytes()).read()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self) -> GeneralNgrams:
        if self._take(len(_MAGIC)).tobytes() != _MAGIC or self._take(1)[0] != 3:
            raise ValueError("not a trigram model in pocketsphinx's binary format")
        counts = self._integers(3)
        self._integers(1)
        tables = [self._exponentials(_TABLE_SIZE) for _ in range(3)]
        unigrams = np.frombuffer(self._take(_UNIGRAM.itemsize * (counts[0] + 1)), _UNIGRAM)
        word_bits, next_bits = counts[0].bit_length(), counts[2].bit_length()
        pairs = self._packed(counts[1] + 1, (word_bits, _INDEX_BITS, _INDEX_BITS, next_bits))
        triples = self._packed(counts[2] + 1, (word_bits, _INDEX_BITS))
        first_bigram = unigrams["first_bigram"].astype(np.int64)
        # The counts may be too high; where the last range ends is right.
        bigram_count = int(first_bigram[-1])
        first_trigram = pairs[3][: bigram_count + 1]
        trigram_count = int(first_trigram[-1])
        return GeneralNgrams(
            words=self._words(counts[0]),
            unigrams=np.exp(unigrams["probability"][:-1].astype(np.float64) * _LN_BASE),
            first=pairs[0][:bigram_count],
            last=_parents(first_bigram),
            bigrams=tables[0][pairs[2][:bigram_count]],
            head=triples[0][:trigram_count],
            tail=_parents(first_trigram),
            trigrams=tables[2][triples[1][:trigram_count]],
        )

    def _take(self, size: int) -> _Bytes:
        if self._at + size > len(self._data):
            raise ValueError("the language model's file ends too early")
        taken = np.frombuffer(self._data, np.uint8, size, self._at)
        self._at += size
        return taken

    def _integers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self._take(4 * count).tobytes())

    def _exponentials(self, count: int) -> Floats:
        values: Floats = np.exp(np.frombuffer(self._take(4 * count), "<f4").astype(np.float64) * _LN_BASE)
        return values

    def _packed(self, count: int, widths: tuple[int, ...]) -> list[Integers]:
        entry_bits = sum(widths)
        block = self._take((count * entry_bits + 7) // 8 + _SPARE_BYTES)
        starts = np.arange(count, dtype=np.int64) * entry_bits
        offsets = np.cumsum((0, *widths[:-1]))
        return [_bits(block, starts + offset, width) for offset, width in zip(offsets, widths, strict=True)]

    def _words(self, count: int) -> list[str]:
        (length,) = self._integers(1)
        words = self._take(length).tobytes().decode("utf-8").split("\0")
        if len(words) != count + 1 or self._at != len(self._data):
            raise ValueError("the language model's file does not end with its words")
        return words[:count]


def _bits(block: _Bytes, offsets: Integers, width: int) -> Integers:
    """The `width` (at most 25) bits at each offset, of which the first is the lowest."""
    starts = offsets >> 3
    value = np.zeros(len(offsets), np.int64)
    for byte in range(4):
        value |= block[starts + byte].astype(np.int64) << (8 * byte)
    found: Integers = (value >> (offsets & 7)) & ((1 << width) - 1)
    return found


def _parents(first_child: Integers) -> Integers:
    """Of each child, the index of the range that it lies in."""
    counts = np.diff(first_child)
    if len(counts) and counts.min() < 0:
        raise ValueError("the language model's ranges overlap")
    parents: Integers = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return parents
