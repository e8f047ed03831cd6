import math

import pytest

from warmline.engines.pocketsphinx.ngram import arpa, expected_counts


def probabilities(text):
    """log10 probabilities and back-off weights by n-gram, as a recogniser would read them."""
    found, backoffs = {}, {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) >= 2:
            gram = tuple(fields[1].split())
            found[gram] = 10 ** float(fields[0])
            backoffs[gram] = 10 ** float(fields[2]) if len(fields) > 2 else 1.0
    return found, backoffs


def probability(gram, found, backoffs):
    if gram in found:
        return found[gram]
    return backoffs.get(gram[:-1], 1.0) * probability(gram[1:], found, backoffs)


def test_counts_are_expected_over_evenly_filled_slots():
    counts = expected_counts(["for $number please"], {"number": ("one", "twenty two")})
    assert counts["for",] == 1
    assert counts["one",] == counts["twenty",] == 0.5
    assert counts["twenty", "two"] == 0.5
    assert counts["one", "please"] == 0.5
    assert counts["<s>", "for", "one"] == 0.5
    assert ("one", "two") not in counts


def test_two_words_by_hand():
    # Said once each: "a b" and "a a". c(a)=3, c(b)=1, c(</s>)=2: 6 tokens of 3 kinds; T()=3.
    found, _ = probabilities(arpa(expected_counts(["a b", "a a"], {})))
    unigram_a = 3 / 9 + 3 / 9 * (1 / 3)
    assert found["a",] == pytest.approx(unigram_a, rel=1e-3)
    # After a: b, a, </s> once each: c=3, T=3.
    assert found["a", "a"] == pytest.approx(1 / 6 + 3 / 6 * unigram_a, rel=1e-3)


@pytest.mark.parametrize("history", [(), ("book",), ("<s>", "i"), ("a", "table"), ("never", "seen")])
def test_what_may_follow_sums_to_one(history):
    counts = expected_counts(
        ["i would like a table", "book a table for $number", "$number please"], {"number": ("one", "two", "three")}
    )
    found, backoffs = probabilities(arpa(counts))
    words = {gram[0] for gram in found if len(gram) == 1} - {"<s>"}
    assert sum(probability((*history, word), found, backoffs) for word in words) == pytest.approx(1, abs=0.002)


def test_no_probability_is_above_one_and_the_header_counts_what_follows():
    text = arpa(expected_counts(["yes", "no thank you"], {}))
    assert all(value <= 1 and math.isfinite(value) for value in probabilities(text)[0].values())
    stated = {int(line[6]): int(line.split("=")[1]) for line in text.splitlines() if line.startswith("ngram ")}
    assert stated == {n: sum(len(gram) == n for gram in probabilities(text)[0]) for n in (1, 2, 3)}
