"""The model of everything that a caller is expected to say, written as pocketsphinx reads it."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pocketsphinx

from warmline.engines.pocketsphinx.adapted_model import adapted_model
from warmline.engines.pocketsphinx.arpa_file import write_arpa
from warmline.engines.pocketsphinx.backoff_model import BackoffModel
from warmline.engines.pocketsphinx.dictionary import dictionary_text, read_dictionary
from warmline.engines.pocketsphinx.everyday_speech import OPENINGS, WHOLE
from warmline.engines.pocketsphinx.general_ngrams import read_general_ngrams
from warmline.engines.pocketsphinx.ngram import BEGIN, END, Counts, expected_counts, summed

__all__ = ["write_model"]

# How often an everyday sentence, and a mere beginning, is expected beside one of the scenario's phrases.
_WHOLE_WEIGHT, _OPENING_WEIGHT = 0.5, 0.3

_Slots = Mapping[str, Sequence[str]]


def write_model(
    binary: Path, dictionary: Path, *, general: Path, pronunciations: Path, phrases: Sequence[str], slots: _Slots
) -> None:
    """Write the language model and its dictionary, from pocketsphinx's own `general` model and `pronunciations`.

    Raises:
        ValueError: the general model is laid out in another way.
    """
    pronounced = read_dictionary(pronunciations)
    model = adapted_model(_everything_expected(phrases, slots), read_general_ngrams(general), pronounced)
    _write_binary(model, binary)
    dictionary.write_text(dictionary_text(set(model.words) - {BEGIN, END}, pronounced), encoding="utf-8")


def _everything_expected(phrases: Sequence[str], slots: _Slots) -> Counts:
    return summed(
        [
            expected_counts(phrases, slots),
            expected_counts(WHOLE, slots, weight=_WHOLE_WEIGHT),
            expected_counts(OPENINGS, slots, weight=_OPENING_WEIGHT, open_ended=True),
        ]
    )


def _write_binary(model: BackoffModel, binary: Path) -> None:
    # pocketsphinx reads its own format a hundred times faster than ARPA, which is the one that can be written here.
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        arpa = Path(folder, "model.lm")
        write_arpa(model, arpa)
        as_binary = pocketsphinx.NGramModel.str_to_type("bin")
        pocketsphinx.NGramModel.readfile(str(arpa)).write(str(binary), as_binary)
