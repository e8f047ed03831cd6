import math
import random
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from warmline.engines.pocketsphinx.adapted_model import adapted_model, scenario_model
from warmline.engines.pocketsphinx.arpa_file import write_arpa
from warmline.engines.pocketsphinx.general_ngrams import read_general_ngrams
from warmline.engines.pocketsphinx.interpolation import interpolated, pruned
from warmline.engines.pocketsphinx.ngram import expected_counts, smoothed, summed

GENERAL = Path(pocketsphinx.get_model_path("en-us")) / "en-us.lm.bin"
LIKELY = ["i would like a table", "book a table for $number", "$number please"]
NUMBERS = {"number": ("one", "two", "three")}


@pytest.fixture(scope="module")
def general():
    return read_general_ngrams(GENERAL)


@pytest.fixture(scope="module")
def adapted(general):
    spoken = {general.words[place] for place in np.argsort(-general.unigrams)[:4000]}
    return adapted_model(expected_counts(LIKELY, NUMBERS), general, spoken)


def probability(model, *words):
    """p(last | the one or two before), as the model has it."""
    keys = np.array([0], np.int64)
    for word in words:
        keys = keys * len(model.words) + model.words.index(word)
    return float((model.bigram_probability if len(words) == 2 else model.trigram_probability)(keys)[0])


def total(model, *history):
    """What all words that may follow add up to."""
    return sum(probability(model, *history, word) for word in model.words if word != "<s>")


def test_counts_are_expected_over_evenly_filled_slots():
    counts = expected_counts(["for $number please"], {"number": ("one", "twenty two")})
    assert counts["for",] == 1
    assert counts["one",] == counts["twenty",] == 0.5
    assert counts["twenty", "two"] == 0.5
    assert counts["one", "please"] == 0.5
    assert counts["<s>", "for", "one"] == 0.5
    assert ("one", "two") not in counts


def test_after_an_open_ended_beginning_nothing_is_said_to_follow():
    counts = expected_counts(["could you"], {}, weight=0.5, open_ended=True)
    assert counts["could", "you"] == 0.5
    assert not any("</s>" in gram for gram in counts)
    assert summed([counts, counts])["could", "you"] == 1.0


def test_two_words_by_hand():
    # Said once each: "a b" and "a a". c(a)=3, c(b)=1, c(</s>)=2: 6 tokens of 3 kinds; T()=3.
    found = smoothed(expected_counts(["a b", "a a"], {}))
    unigram_a = 3 / 9 + 3 / 9 * (1 / 3)
    assert found["a",] == pytest.approx(unigram_a)
    # After a: b, a, </s> once each: c=3, T=3.
    assert found["a", "a"] == pytest.approx(1 / 6 + 3 / 6 * unigram_a)


@pytest.mark.parametrize("history", [("book",), ("<s>", "i"), ("a", "table"), ("please", "one")])
def test_what_may_follow_sums_to_one(history):
    model = scenario_model(expected_counts(LIKELY, NUMBERS))
    assert total(model, *history) == pytest.approx(1, abs=1e-6)


def test_the_general_model_is_read_as_pocketsphinx_reads_it(general):
    """pocketsphinx can score an n-gram, last word first."""
    scorer = pocketsphinx.Decoder(lm=str(GENERAL), loglevel="FATAL")
    model = scorer.get_lm(scorer.current_search())
    chosen = random.Random(1)
    for place in chosen.sample(range(len(general.bigrams)), 200):
        words = (general.words[general.last[place]], general.words[general.first[place]])
        assert model.prob(words) == pytest.approx(math.log(general.bigrams[place], 1.0001), abs=2), words
    for place in chosen.sample(range(len(general.trigrams)), 200):
        tail = general.tail[place]
        words = (
            general.words[general.last[tail]],
            general.words[general.first[tail]],
            general.words[general.head[place]],
        )
        assert model.prob(words) == pytest.approx(math.log(general.trigrams[place], 1.0001), abs=2), words


def test_a_file_laid_out_in_another_way_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"\\data\\\nngram 1=2\n" * 10)
    (tmp_path / "short").write_bytes(GENERAL.read_bytes()[:5_000_000])
    for name in ("other", "short"):
        with pytest.raises(ValueError, match="model"):
            read_general_ngrams(tmp_path / name)


def test_a_mixture_lies_between_the_two_and_sums_to_one():
    words = sorted({"<s>", "</s>", "a", "b", "c"})
    first = scenario_model(expected_counts(["a b", "a c"], {}), words)
    second = scenario_model(expected_counts(["a b", "b a", "b b a"], {}), words)
    mixed = interpolated(first, second, first_share=0.25)
    for history in (("a",), ("<s>", "a"), ("b", "a")):
        assert total(mixed, *history) == pytest.approx(1, abs=1e-6)
    share = 0.25 * probability(first, "a", "b") + 0.75 * probability(second, "a", "b")
    assert probability(mixed, "a", "b") == pytest.approx(share)


def test_pruning_leaves_out_what_backing_off_gives_anyway():
    model = scenario_model(expected_counts(LIKELY, NUMBERS))
    kept = pruned(model, 1e-2)
    assert 0 < len(kept.bigrams.keys) < len(model.bigrams.keys)
    assert total(kept, "book") == pytest.approx(1, abs=1e-6)


def test_the_scenario_is_expected_and_all_else_is_possible(adapted):
    assert probability(adapted, "a", "table") > 5 * probability(adapted, "the", "table")
    assert probability(adapted, "the", "table") > 0
    assert total(adapted, "like", "a") == pytest.approx(1, abs=1e-3)


def test_what_is_written_is_read_by_pocketsphinx(adapted, tmp_path):
    write_arpa(adapted, tmp_path / "model.lm")
    read = pocketsphinx.NGramModel.readfile(str(tmp_path / "model.lm"))
    found = read.prob(("table", "a", "like"))
    assert found == pytest.approx(math.log(probability(adapted, "like", "a", "table"), 1.0001), abs=20)
