import pytest

from warmline.agent.wire import check_audio, parse_control
from warmline.errors import ProtocolError


def code_of(call, *args, **kwargs):
    with pytest.raises(ProtocolError) as caught:
        call(*args, **kwargs)
    return caught.value.close_code


def test_audio_of_whole_samples_up_to_the_limit_passes():
    assert check_audio(b"") == b""
    assert len(check_audio(bytes(64 * 1024))) == 64 * 1024


@pytest.mark.parametrize(("pcm", "code"), [(b"a", 1003), (bytes(641), 1003), (bytes(64 * 1024 + 2), 1009)])
def test_other_audio_is_refused(pcm, code):
    assert code_of(check_audio, pcm) == code


@pytest.mark.parametrize("text", ['{"type":"bye"}', '{"type": "bye", "unknown": [1, 2]}'])
def test_bye_may_come_at_any_time(text):
    assert parse_control(text, first=True)["type"] == "bye"
    assert parse_control(text, first=False)["type"] == "bye"


def test_hello_may_only_come_first():
    assert parse_control('{"type":"hello","ticket":"t"}', first=True)["ticket"] == "t"
    assert code_of(parse_control, '{"type":"hello"}', first=False) == 1008


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 1007),
        ("hello", 1007),
        ("[]", 1007),
        ('"bye"', 1007),
        ("[" * 20_000, 1007),
        ("{}", 1008),
        ('{"type": 5}', 1008),
        ('{"type": "dance"}', 1008),
        ('{"type": "bye"' + " " * 70_000 + "}", 1009),
        ('"' + "ü" * 40_000 + '"', 1009),
    ],
)
def test_everything_else_is_refused_with_its_code(text, code):
    assert code_of(parse_control, text, first=True) == code
