import pytest

from warmline.agent.admission import Admission, AllLinesBusy
from warmline.agent.guard import Guard

GUARD = Guard(origins=frozenset({"http://127.0.0.1:7860"}), hosts=frozenset({"127.0.0.1:7860"}), token="geheim")


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        (None, "127.0.0.1:7860", True),
        ("http://127.0.0.1:7860", "127.0.0.1:7860", True),
        ("HTTP://127.0.0.1:7860", "127.0.0.1:7860", True),
        ("http://evil.example", "127.0.0.1:7860", False),
        ("null", "127.0.0.1:7860", False),
        ("", "127.0.0.1:7860", False),
        (None, "evil.example:7860", False),
        (None, "127.0.0.1", False),
        (None, None, False),
    ],
)
def test_origin_and_host_are_both_checked(origin, host, admitted):
    assert GUARD.admits(origin=origin, host=host) is admitted


@pytest.mark.parametrize(
    ("ticket", "accepted"), [("geheim", True), ("gehei", False), ("", False), (None, False), (5, False)]
)
def test_the_ticket_is_the_token(ticket, accepted):
    assert GUARD.accepts_ticket(ticket) is accepted


def test_without_a_token_none_is_owed():
    assert Guard(frozenset(), frozenset()).accepts_ticket(None)


def test_the_token_does_not_show():
    assert "geheim" not in repr(GUARD)


def test_lines_are_counted_and_given_back():
    admission = Admission(2)
    with admission.line() as first, admission.line() as second:
        assert (first, second) == (1, 2)
        with pytest.raises(AllLinesBusy), admission.line():
            pass
        assert admission.active == 2
    assert admission.active == 0
