import tomllib

import pytest

from warmline.settings.toml_lines import toml_lines

TEXT = '''# comment = 1
name = "a # [x] = 2"
prose = """
[not a table]
key = 1
"""
a.b = 1.5
[[facts]]
topic = 'x'
keywords = ["a", # one
  "b",
  [1, 2], {p = 1, q.r = [3]}]

[[facts]]
"to pic" = 1979-05-27T07:32:00
[facts.sub.deep]
z=1
[c . d]
e="f"
'''


def every_path(value, path=()):
    """The paths of a parsed document."""
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from every_path(child, (*path, step))


def test_every_key_table_and_element_has_its_line():
    lines = toml_lines(TEXT)
    assert lines.keys() == set(every_path(tomllib.loads(TEXT)))
    expected = {
        ("name",): 2,
        ("prose",): 3,
        ("a", "b"): 7,
        ("facts",): 8,
        ("facts", 0): 8,
        ("facts", 0, "keywords", 0): 10,
        ("facts", 0, "keywords", 1): 11,
        ("facts", 0, "keywords", 3, "q", "r", 0): 12,
        ("facts", 1): 14,
        ("facts", 1, "to pic"): 15,
        ("facts", 1, "sub", "deep", "z"): 17,
        ("c", "d", "e"): 19,
    }
    assert {path: lines[path] for path in expected} == expected


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a = 1", "a = []", "a = {}", "[a]", "[[a]]", "a=[\n]"])
def test_small_documents(text):
    assert toml_lines(text).keys() == set(every_path(tomllib.loads(text)))
