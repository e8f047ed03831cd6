import pytest

from warmline.engines.sound_alike import HEARD, likeness, phrase_likeness


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("parking", "parking"),
        ("barking", "parking"),
        ("cable", "table"),
        ("ours", "hours"),
        ("for", "four"),
        ("council", "cancel"),
        ("buck", "book"),
        ("addressed", "address"),
        ("prize", "price"),
    ],
)
def test_what_recognisers_confuse_is_taken_for_what_was_meant(heard, meant):
    assert likeness(heard, meant) >= HEARD


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("saturday", "street"),
        ("table", "disabled"),
        ("anna", "animal"),
        ("peter", "pets"),
        ("look", "book"),
        ("sunday", "monday"),
        ("start", "stairs"),
        ("the", "tea"),
        ("x" * 5000, "x" * 5001),
    ],
)
def test_other_words_are_not(heard, meant):
    assert likeness(heard, meant) < HEARD


def test_a_phrase_needs_all_its_words_in_order_with_one_between_at_most():
    heard = ["do", "you", "know", "how", "very", "much", "it", "is"]
    assert phrase_likeness(heard, ["how", "much"]) == 1.0
    assert phrase_likeness(heard, ["much", "how"]) == 0.0
    assert phrase_likeness(heard, ["know", "much"]) == 0.0
    assert phrase_likeness([], ["how"]) == 0.0
