"""Language models as ARPA files, the format that recognisers read: log10 probabilities and back-off weights."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from warmline.engines.pocketsphinx.backoff_model import BackoffModel, Floats, Integers

__all__ = ["write_arpa"]

_NEVER_LOG10 = -99.0


def write_arpa(model: BackoffModel, path: Path) -> None:
    """Write the model, over whatever `path` held."""
    with path.open("w", encoding="utf-8") as file:
        counts = (len(model.words), len(model.bigrams.keys), len(model.trigrams.keys))
        file.writelines(["\\data\\\n", *(f"ngram {length}={count}\n" for length, count in enumerate(counts, 1))])
        file.write("\n\\1-grams:\n")
        file.writelines(_lines(model.unigrams, list(model.words), model.after_word))
        file.write("\n\\2-grams:\n")
        file.writelines(_lines(model.bigrams.probabilities, _spelled(model, model.bigrams.keys, 2), model.after_pair))
        file.write("\n\\3-grams:\n")
        file.writelines(_lines(model.trigrams.probabilities, _spelled(model, model.trigrams.keys, 3)))
        file.write("\n\\end\\\n")


def _spelled(model: BackoffModel, keys: Integers, length: int) -> list[str]:
    size, words = len(model.words), model.words
    digits = []
    for _ in range(length):
        keys, digit = np.divmod(keys, size)
        digits.append(digit.tolist())
    return [" ".join([words[place] for place in places]) for places in zip(*reversed(digits), strict=True)]


def _lines(probabilities: Floats, grams: list[str], backoffs: Floats | None = None) -> Iterator[str]:
    logs = _log10(probabilities)
    if backoffs is None:
        return (f"{log:.4f}\t{gram}\n" for log, gram in zip(logs, grams, strict=True))
    return (
        f"{log:.4f}\t{gram}\t{backoff:.4f}\n" for log, gram, backoff in zip(logs, grams, _log10(backoffs), strict=True)
    )


def _log10(values: Floats) -> list[float]:
    logs: list[float] = np.where(values > 0, np.log10(np.maximum(values, 1e-90)), _NEVER_LOG10).tolist()
    return logs
