import os
from dataclasses import FrozenInstanceError
from string import Template

import pytest

from warmline.errors import ConfigError
from warmline.settings import Fact, load_scenario

MINIMAL = 'name = "Hill Street"\ngreeting = "Hello."\nsystem_prompt = "Be brief."\n'


@pytest.fixture
def written(tmp_path):
    """Write a scenario and return its path."""

    def write(text):
        path = tmp_path / "my.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def complaint(path):
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    return str(caught.value)


def test_the_default_scenario_has_what_an_agent_needs():
    scenario = load_scenario()
    assert scenario.name == "The Blue Lantern"
    assert {"opening hours", "address", "parking", "menu", "prices"} <= {fact.topic for fact in scenario.facts}
    assert len(scenario.phrases) >= 15
    assert all(len(phrases) >= 8 for phrases in scenario.phrases.values())


def test_every_slot_in_a_default_phrase_has_values():
    scenario = load_scenario()
    used = {slot for phrases in scenario.phrases.values() for p in phrases for slot in Template(p).get_identifiers()}
    assert used == {"day", "time", "number", "name"}
    assert used <= scenario.slots.keys()


def test_the_default_is_what_the_file_says_that_a_user_copies(tmp_path):
    from warmline.settings import scenario as module

    copied = tmp_path / "copy.toml"
    copied.write_bytes(module._DEFAULT.read_bytes())
    assert load_scenario(copied) == load_scenario()


def test_a_minimal_scenario(written):
    scenario = load_scenario(written(MINIMAL))
    assert (scenario.facts, scenario.phrases, scenario.slots) == ((), {}, {})
    with pytest.raises(FrozenInstanceError):
        scenario.name = "x"


def test_a_whole_scenario(written):
    scenario = load_scenario(
        written(
            MINIMAL
            + """
[[facts]]
topic = "opening hours"
keywords = ["open", "how late"]
text = "Eight to five."
[phrases]
book = ["can i come on $day at ${time}", "i'd like to come"]
[slots]
doctor = ["doctor miller"]
"""
        )
    )
    assert scenario.facts == (Fact("opening hours", ("open", "how late"), "Eight to five."),)
    assert scenario.phrases == {"book": ("can i come on $day at ${time}", "i'd like to come")}
    assert scenario.slots == {"doctor": ("doctor miller",)}


def test_windows_line_ends_and_a_byte_order_mark_are_fine(written):
    text = (MINIMAL + "[phrases]\nbook = [\n'a table',\n'Two Tables']\n").replace("\n", "\r\n").encode()
    assert "my.toml:7: phrases.book[1]:" in complaint(written(b"\xef\xbb\xbf" + text))


@pytest.mark.parametrize(
    ("text", "line", "key", "why"),
    [
        ('name = "x"\nnmae = "y"', 2, "nmae", "did you mean 'name'"),
        ('system-prompt = "x"', 1, '"system-prompt"', "did you mean 'system_prompt'"),
        ("colour = 1", 1, "colour", "known here: name, greeting"),
        ("name = 3", 1, "name", "must be a text, not a number"),
        ("name = true", 1, "name", "not a boolean"),
        ("name = 1979-05-27", 1, "name", "not a date or time"),
        ('name = "  "', 1, "name", "must not be empty"),
        ('name = "a\\nb"', 1, "name", "must be one line"),
        ('name = "a\\u0000b"', 1, "name", "control character"),
        (f'name = "{"x" * 81}"', 1, "name", "has 81 characters; at most 80"),
        (MINIMAL + "facts = 3", 4, "facts", "must be a list, not a number"),
        (MINIMAL + "facts = [{topic = 'x'}]", 4, "facts[0]", "keywords is missing"),
        (MINIMAL + "[[facts]]\ntopic = 'x'\nkeywords = []\ntext = 'y'", 6, "facts[0].keywords", "at least one"),
        (MINIMAL + "[[facts]]\ntopic = 'x'\nkeyword = 'a'", 6, "facts[0].keyword", "did you mean 'keywords'"),
        (MINIMAL + "[[facts]]\ntopic = 'x'\nkeywords = [\n'a',\n7]\ntext = 'y'", 8, "facts[0].keywords[1]", "number"),
        (MINIMAL + "[phrases]\nbook = ['a', \n\n 'Table 4']", 7, "phrases.book[1]", "not spoken words"),
        (MINIMAL + "[phrases]\nbook = ['for $4']", 5, "phrases.book[0]", "has a $ that begins no slot name"),
        (MINIMAL + "[phrases]\nbook = ['for $Day']", 5, "phrases.book[0]", "$Day is no slot name"),
        (MINIMAL + "[phrases]\nbook = 'a table'", 5, "phrases.book", "must be a list, not a text"),
        (MINIMAL + "[phrases]\n'Book it' = []", 5, "phrases.'Book it'", "lower-case letters"),
        (MINIMAL + "phrases = []", 4, "phrases", "must be a table, not a list"),
        (MINIMAL + "[slots]\nday = ['mon-day']", 5, "slots.day[0]", "not spoken words"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(written, text, line, key, why):
    message = complaint(written(text))
    assert f"my.toml:{line}: " in message
    assert key.replace('"', "'") in message
    assert why in message


def test_two_facts_on_one_topic_are_refused(written):
    fact = "[[facts]]\ntopic = 'bus'\nkeywords = ['bus']\ntext = 'Yes.'\n"
    assert "my.toml:9: facts[1].topic: there are two facts on 'bus'" in complaint(written(MINIMAL + fact + fact))


def test_a_missing_key_is_named(written):
    assert complaint(written('name = "x"')).endswith("my.toml: greeting is missing")


def test_a_syntax_error_is_named_with_its_line(written):
    message = complaint(written(MINIMAL + "oops\n"))
    assert "my.toml: not TOML:" in message
    assert "line 4" in message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'name = "\xff"', "my.toml:1: byte 8 is not UTF-8"),
        (b'\n\nname = "x\0"', "my.toml:3: a NUL byte"),
        ('name = "x"'.encode("utf-16"), "my.toml:1: a NUL byte"),
        (b"# " + b"x" * 65536, "larger than 64 KiB"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
    ],
)
def test_what_is_no_scenario_at_all(written, content, why):
    assert why in complaint(written(content))


@pytest.mark.parametrize(
    ("section", "entries", "why"),
    [
        ("[slots]\nday = [{}]", 501, "slots.day: has 501 entries; at most 500"),
        ("[phrases]\nbook = [{}]", 201, "phrases.book: has 201 entries; at most 200"),
    ],
)
def test_lists_are_bounded(written, section, entries, why):
    assert why in complaint(written(MINIMAL + section.format(", ".join(["'a'"] * entries))))


def test_tables_are_bounded(written):
    slots = "\n".join(f"s{n} = ['a']" for n in range(33))
    assert "my.toml:4: slots: has 33 entries; at most 32" in complaint(written(MINIMAL + "[slots]\n" + slots))


def test_no_file_a_directory_and_a_fifo(tmp_path):
    assert "nowhere.toml: cannot be read: No such file" in complaint(tmp_path / "nowhere.toml")
    assert "not a regular file" in complaint(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in complaint(tmp_path / "pipe")
    assert "cannot be read: " in complaint(tmp_path / "a\0b")
