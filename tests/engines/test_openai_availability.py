"""When a language model that failed is looked for again."""

import pytest

from warmline.engines.openai import Trouble, TroubleKind
from warmline.engines.openai.availability import Availability


def no_jitter(low, high):
    return low


def test_pauses_grow_while_checks_fail_and_after_a_check_that_proves_nothing():
    quota = Trouble(TroubleKind.RATE, "takes no more requests", retry_after_sec=3.0)
    availability = Availability(no_jitter)
    availability.failed(quota)
    availability.failed(quota)  # another caller, the same trouble
    assert availability.pause_sec() == 3.0
    for pause_sec in (3.0, 4.0, 8.0, 16.0):
        availability.check_failed(quota)
        assert availability.pause_sec() == pause_sec
    availability.check_passed()  # says nothing about a quota
    assert availability.trouble is None
    availability.failed(quota)
    assert availability.pause_sec() == 32.0
    availability.answered()
    availability.failed(quota)
    assert availability.pause_sec() == 3.0
    for _ in range(20):
        availability.check_failed(quota)
    assert availability.pause_sec() == 60.0


@pytest.mark.parametrize("kind", [TroubleKind.QUOTA, TroubleKind.MODEL])
def test_what_lasts_and_only_a_paid_request_shows_is_not_tried_again_soon(kind):
    availability = Availability(no_jitter)
    availability.failed(Trouble(kind, "must be mended by somebody"))
    assert availability.pause_sec() == 60.0
    availability.checks_show_model = True
    assert availability.pause_sec() == (1.0 if kind is TroubleKind.MODEL else 60.0)


def test_a_list_that_lacks_the_model_is_believed_until_the_model_has_answered():
    availability = Availability(no_jitter)
    unknown = Trouble(TroubleKind.MODEL, "has no model 'm'")
    availability.check_failed(unknown)
    assert availability.trouble is unknown
    availability.answered()
    availability.check_failed(unknown)
    assert availability.trouble is None
