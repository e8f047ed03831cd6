"""An n-gram language model from weighted sentence templates.

Trigrams with interpolated Witten-Bell smoothing (Witten and Bell 1991; in the notation of Chen and Goodman 1999, 2.5):

    p(w | h) = c(h w) / (c(h) + T(h))  +  T(h) / (c(h) + T(h)) * p(w | shorter h)

where T(h) is the number of different words seen after h. The last term's factor is the back-off weight of h.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BEGIN", "END", "Counts", "expected_counts", "smoothed", "summed"]

BEGIN, END = "<s>", "</s>"
_ORDER = 3

Counts = dict[tuple[str, ...], float]


def expected_counts(
    templates: Iterable[str], slots: Mapping[str, Sequence[str]], *, weight: float = 1.0, open_ended: bool = False
) -> Counts:
    """How often each word, pair and triple is expected when each template is said `weight` times, slots filled evenly.

    After an `open_ended` template anything may follow: it only counts up to its last word. Computed over the histories
    that can stand before a word, so that the slots' product is never written out.
    """
    counts: Counts = defaultdict(float)
    for template in templates:
        histories: dict[tuple[str, ...], float] = {(BEGIN,): weight}
        for token in [*template.split(), *(() if open_ended else (END,))]:
            histories = _say(token, histories, slots, counts)
    return dict(counts)


def summed(parts: Iterable[Counts]) -> Counts:
    """Counts of everything together."""
    total: Counts = defaultdict(float)
    for part in parts:
        for gram, count in part.items():
            total[gram] += count
    return dict(total)


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


def smoothed(counts: Counts) -> dict[tuple[str, ...], float]:
    """p(last word | words before) of every n-gram counted."""
    following: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for gram in counts:
        following[gram[:-1]].append(gram)
    said = {gram[-1] for gram in counts}
    probabilities: dict[tuple[str, ...], float] = {(BEGIN,): 0.0}
    uniform = 1 / len(said)
    for history in sorted(following, key=len):
        grams = following[history]
        total, kinds = sum(counts[gram] for gram in grams), len(grams)
        left = kinds / (total + kinds)
        for gram in grams:
            shorter = probabilities[gram[1:]] if history else uniform
            probabilities[gram] = counts[gram] / (total + kinds) + left * shorter
    return probabilities
