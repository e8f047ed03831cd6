"""Call scripts: what is read, and what is said about what is wrong."""

from pathlib import Path

import pytest

from warmline.errors import ConfigError
from warmline.measure import load_script

GOOD = """
name = "A call"

[[turns]]
say = "are you open"
intent = "hours"
wording = "unseen"
expect = 'noon'

[[turns]]
say = "bye"
wav = "bye.wav"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "call.toml"
    path.write_text(text)
    return path


def test_a_script_is_read_whole(tmp_path: Path) -> None:
    script = load_script(written(tmp_path, GOOD))
    first, second = script.turns
    assert (script.name, first.say, first.intent, first.wording) == ("A call", "are you open", "hours", "unseen")
    assert first.expect is not None
    assert first.expect.search("From NOON on")
    assert (second.wording, second.expect, second.wav) == ("", None, tmp_path / "bye.wav")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 1\n[[turns]]\nsay='x'", r"call.toml.name: expected text"),
        ("turns = 3", r"call.toml: expected 1 to 100 tables"),
        ("", r"call.toml: expected 1 to 100 tables"),
        ("[[turns]]\nsay = ''", r"turns\[1\].say: expected what to say"),
        ("[[turns]]\nsay='a'\n[[turns]]\nsay='b'\nsayy='c'", r"turns\[2\]: unknown key 'sayy'"),
        ("[[turns]]\nsay='a'\nwording='new'", r"turns\[1\].wording: expected 'known' or 'unseen', found 'new'"),
        ("[[turns]]\nsay='a'\nexpect='('", r"turns\[1\].expect: no regular expression"),
        ("[[turns]]\nsay = what", r"call.toml: .*line 2"),
        ("turns = [3]", r"turns\[1\]: expected a table, found 3"),
        ("[[turns]]\nsay='" + "a" * 501 + "'", r"turns\[1\].say: expected text of at most 500"),
        ("#" * 70_000, r"call.toml: larger than 64 KiB"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_script(written(tmp_path, text))


def test_a_missing_or_binary_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_script(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml"):
        load_script(tmp_path / "binary.toml")
