"""An n-gram language model from weighted sentence templates, in the ARPA format that recognisers read.

Trigrams with interpolated Witten-Bell smoothing (Witten and Bell 1991; in the notation of Chen and Goodman 1999, 2.5):

    p(w | h) = c(h w) / (c(h) + T(h))  +  T(h) / (c(h) + T(h)) * p(w | shorter h)

where T(h) is the number of different words seen after h. The last term's factor is the back-off weight of h.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Counts", "arpa", "expected_counts"]

BEGIN, END = "<s>", "</s>"
_ORDER = 3
_NEVER_LOG10 = -99.0

Counts = dict[tuple[str, ...], float]


def expected_counts(templates: Iterable[str], slots: Mapping[str, Sequence[str]]) -> Counts:
    """How often each word, pair and triple is expected when each template is said once, its slots filled evenly.

    Computed over the histories that can stand before a word, so that the slots' product is never written out.
    """
    counts: Counts = defaultdict(float)
    for template in templates:
        histories: dict[tuple[str, ...], float] = {(BEGIN,): 1.0}
        for token in [*template.split(), END]:
            histories = _say(token, histories, slots, counts)
    return dict(counts)


def _say(
    token: str, histories: dict[tuple[str, ...], float], slots: Mapping[str, Sequence[str]], counts: Counts
) -> dict[tuple[str, ...], float]:
    values = slots[token[1:]] if token.startswith("$") else (token,)
    after: dict[tuple[str, ...], float] = defaultdict(float)
    for value in values:
        reached = {history: weight / len(values) for history, weight in histories.items()}
        for word in value.split():
            reached = _append(word, reached, counts)
        for history, weight in reached.items():
            after[history] += weight
    return after


def _append(word: str, histories: Mapping[tuple[str, ...], float], counts: Counts) -> dict[tuple[str, ...], float]:
    after: dict[tuple[str, ...], float] = defaultdict(float)
    for history, weight in histories.items():
        longest = (*history, word)
        for size in range(1, len(longest) + 1):
            counts[longest[-size:]] += weight
        after[longest[-(_ORDER - 1) :]] += weight
    return after


def arpa(counts: Counts) -> str:
    """The model as ARPA text: log10 probabilities and back-off weights of all n-grams counted."""
    vocabulary = sorted({gram[-1] for gram in counts} | {BEGIN})
    probabilities, backoffs = _smooth(counts, vocabulary)
    grams: list[list[tuple[str, ...]]] = [sorted((word,) for word in vocabulary)]
    grams += [sorted(gram for gram in counts if len(gram) == size) for size in range(2, _ORDER + 1)]
    lines = ["\\data\\", *(f"ngram {size}={len(each)}" for size, each in enumerate(grams, 1))]
    for size, each in enumerate(grams, 1):
        lines += ["", f"\\{size}-grams:"]
        lines += [_line(gram, probabilities[gram], backoffs.get(gram), last=size == _ORDER) for gram in each]
    return "\n".join([*lines, "", "\\end\\", ""])


def _smooth(
    counts: Counts, vocabulary: Sequence[str]
) -> tuple[dict[tuple[str, ...], float], dict[tuple[str, ...], float]]:
    following: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for gram in counts:
        following[gram[:-1]].append(gram)
    said = [word for word in vocabulary if word != BEGIN]
    probabilities: dict[tuple[str, ...], float] = {(BEGIN,): 0.0}
    backoffs: dict[tuple[str, ...], float] = {}
    uniform = 1 / len(said)
    for history in sorted(following, key=len):
        grams = following[history]
        total, kinds = sum(counts[gram] for gram in grams), len(grams)
        left = kinds / (total + kinds)
        if history:
            backoffs[history] = left
        for gram in grams:
            shorter = probabilities[gram[1:]] if history else uniform
            probabilities[gram] = counts[gram] / (total + kinds) + left * shorter
    return probabilities, backoffs


def _line(gram: tuple[str, ...], probability: float, backoff: float | None, *, last: bool) -> str:
    text = f"{_log10(probability):.5f}\t{' '.join(gram)}"
    return text if last else f"{text}\t{_log10(1.0 if backoff is None else backoff):.5f}"


def _log10(probability: float) -> float:
    return math.log10(probability) if probability > 0 else _NEVER_LOG10
