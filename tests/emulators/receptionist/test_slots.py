"""Days, times, numbers of people and names, as people say them and as recognisers hear them."""

import pytest

from warmline.emulators.openai.receptionist.caller_name import find_bare_name, find_name
from warmline.emulators.openai.receptionist.party_size import find_bare_party_size, find_party_size
from warmline.emulators.openai.receptionist.spoken_day import find_day
from warmline.emulators.openai.receptionist.spoken_time import find_bare_time, find_time
from warmline.emulators.openai.receptionist.words import spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("At 7:30 PM, please!", "at seven thirty pm please"),
        ("at 7 o\N{RIGHT SINGLE QUOTATION MARK}clock", "at seven oclock"),
        ("seven oh clock", "seven oclock"),
        ("7:00", "seven oclock"),
        ("the 5th of June", "the fifth of june"),
        ("a table for 12", "a table for twelve"),
        ("two morrow", "tomorrow"),
        ("8 p.m.", "eight pm"),
        ("555-2348", "five five five two three four eight"),
        ("", ""),
    ],
)
def test_any_recognisers_text_becomes_spoken_words(text, words):
    assert spoken_words(text) == words


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("for tomorrow please", "tomorrow"),
        ("tomorrow evening would be nice", "tomorrow evening"),
        ("the day after tomorrow", "the day after tomorrow"),
        ("can we come tonight", "tonight"),
        ("next friday", "next friday"),
        ("on saturday night", "saturday night"),
        ("the fifth of june", "the fifth of june"),
        ("june the twenty first", "june the twenty first"),
        ("not monday but tuesday", "tuesday"),
        ("on wensday", "wednesday"),
        ("sun day", "sunday"),
        ("have a nice day", None),
        ("and a sandwich", None),
    ],
)
def test_days(words, day):
    assert find_day(words).value == day


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("at seven", "seven"),
        ("at seven oclock in the evening", "seven in the evening"),
        ("half past seven", "half past seven"),
        ("have passed seven", "half past seven"),
        ("seven thirty", "half past seven"),
        ("seven dirty", "half past seven"),
        ("seven fifteen", "quarter past seven"),
        ("seven forty five", "quarter to eight"),
        ("seven twenty", "seven twenty"),
        ("quarter two eight", "quarter to eight"),
        ("ten past eight", "ten past eight"),
        ("three in the afternoon", "three in the afternoon"),
        ("eight pm", "eight in the evening"),
        ("ten am", "ten in the morning"),
        ("for oclock", "four"),
        ("at ate", "eight"),
        ("noon", "noon"),
        ("at about nine", "nine"),
        ("not at seven at eight", "eight"),
        ("at four people", None),
        ("for four", None),
        ("four people", None),
        ("", None),
    ],
)
def test_times(words, time):
    assert find_time(words).value == time


@pytest.mark.parametrize(
    ("words", "time"),
    [("seven", "seven"), ("seven please", "seven"), ("for", "four"), ("well to be", None)],
)
def test_times_of_who_was_asked_for_one(words, time):
    assert find_bare_time(words).value == time


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("for four", "four"),
        ("for for", "four"),
        ("a table four four", "four"),
        ("a cable for two", "two"),
        ("a table for to", "two"),
        ("for people", "four"),
        ("six people", "six"),
        ("we are five", "five"),
        ("there will be four of us", "four"),
        ("a party of ate", "eight"),
        ("two adults and two children", "four"),
        ("just me", "one"),
        ("my wife and i", "two"),
        ("not for four for five", "five"),
        ("for us", None),
        ("we are going to", None),
        ("", None),
    ],
)
def test_numbers_of_people(words, size):
    assert find_party_size(words).value == size


@pytest.mark.parametrize(
    ("words", "size"), [("four", "four"), ("for", "four"), ("to", "two"), ("to do that now", None)]
)
def test_numbers_of_people_of_who_was_asked_for_one(words, size):
    assert find_bare_party_size(words).value == size


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("my name is anna", "anna"),
        ("the name is peter brown please", "peter brown"),
        ("please put it under the name of julia", "julia"),
        ("under smith thank you", "smith"),
        ("the name is emma not anna", "emma"),
        ("i would like a table", None),
    ],
)
def test_names_that_are_announced(words, name):
    assert find_name(words).value == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("anna", "anna"),
        ("yes it's john smith", "john smith"),
        ("you can write down laura", "laura"),
        ("this is doctor miller", "doctor miller"),
        ("thank you very much", None),
        ("what was that", None),
        ("four", None),
    ],
)
def test_names_of_who_was_asked_for_one(words, name):
    assert find_bare_name(words).value == name
