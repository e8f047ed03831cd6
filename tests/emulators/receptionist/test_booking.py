import pytest

from .caller import Caller


def test_a_table_slot_by_slot():
    caller = Caller()
    assert caller.says("i would like to book a table").reply == "With pleasure. For which day?"
    assert caller.says("tomorrow").reply == "Tomorrow. At what time?"
    assert caller.says("seven").reply == "Seven. For how many people?"
    assert caller.says("four").reply == "A table for four. Under what name?"
    last = caller.says("anna miller")
    assert last.reply == (
        "Let me repeat that. A table for four, tomorrow, at seven, under the name Anna Miller. Is that right?"
    )
    assert last.slots == {"day": "tomorrow", "time": "seven", "party_size": "four", "name": "anna miller"}
    assert caller.says("yes").reply == (
        "That is booked. A table for four, tomorrow, at seven, under the name Anna Miller. See you then."
    )


def test_only_what_is_missing_is_asked():
    caller = Caller()
    first = caller.says("a table for two on friday at half past eight please")
    assert first.slots == {"day": "friday", "time": "half past eight", "party_size": "two"}
    assert first.reply == "A table for two, on Friday, at half past eight. Under what name?"


def test_an_appointment_needs_no_number_of_people():
    caller = Caller()
    caller.says("i need an appointment")
    caller.says("next monday")
    assert caller.says("ten in the morning").reply == "Ten in the morning. Under what name?"
    assert "An appointment, next Monday, at ten in the morning, under the name Eva." in caller.says("eva").reply


def test_a_place_that_knows_appointments_alone_books_these():
    from dataclasses import replace

    scenario = replace(Caller().scenario, system_prompt="You make appointments for a dentist.", facts=())
    assert Caller(scenario).says("i would like to book").intent == "book_appointment"


@pytest.mark.parametrize(
    ("correction", "slot", "value"),
    [
        ("no make it eight", "time", "eight"),
        ("no at half past six", "time", "half past six"),
        ("sorry for six people", "party_size", "six"),
        ("no we are five", "party_size", "five"),
        ("no on sunday", "day", "sunday"),
        ("not friday saturday", "day", "saturday"),
        ("the name is peter brown not anna", "name", "peter brown"),
    ],
)
def test_a_correction_at_the_end(correction, slot, value):
    caller = Caller()
    caller.says("a table for four on friday at seven my name is anna")
    corrected = caller.says(correction)
    expected = {"day": "friday", "time": "seven", "party_size": "four", "name": "anna"} | {slot: value}
    assert corrected.slots == expected
    assert corrected.reply.startswith("Let me repeat that.")
    assert caller.says("yes that is right").reply.startswith("That is booked.")


def test_a_correction_in_the_middle():
    caller = Caller()
    caller.says("i want to book a table for tomorrow")
    caller.says("at seven")
    caller.says("for three people")
    assert caller.says("no make it five people").slots == {"day": "tomorrow", "time": "seven", "party_size": "five"}
    assert caller.says("sorry at half past seven").slots["time"] == "half past seven"
    assert caller.says("susan").slots["name"] == "susan"


def test_a_bare_no_is_asked_what_to_change():
    caller = Caller()
    caller.says("a table for four on friday at seven my name is anna")
    assert "What shall I change?" in caller.says("no").reply
    assert caller.says("the time is wrong").reply == "At what time?"
    assert caller.says("nine").slots["time"] == "nine"


def test_a_question_in_between_is_answered_and_the_booking_goes_on():
    caller = Caller()
    caller.says("i would like to book a table for friday")
    aside = caller.says("do you have parking")
    assert aside.intent == "parking"
    assert aside.reply == "Yes, behind the house. Parking is free for our guests. What time would you like?"
    assert caller.says("at eight").reply == "Eight. For how many people?"


def test_an_open_question_in_between_does_not_fill_a_slot():
    caller = Caller()
    caller.says("i would like to book a table")
    assert caller.says("are you open on sunday").intent == "opening_hours"
    assert caller.says("then for saturday please").slots == {"day": "saturday"}


def test_a_fact_in_place_of_the_name_is_not_taken_for_the_name_later():
    caller = Caller()
    caller.says("a table for two tomorrow at eight")
    assert caller.says("how much is the lunch menu").intent == "prices"
    assert caller.says("laura").slots["name"] == "laura"


def test_words_that_were_answered_as_a_question_do_not_begin_a_booking_afterwards():
    caller = Caller()
    assert caller.says("do you have tables outside").intent == "terrace"
    assert caller.says("seven").intent == "unclear"


def test_the_caller_who_interrupts_is_still_understood():
    caller = Caller()
    caller.says("i would like to book a table", hears="With")
    assert caller.says("friday at eight", hears="A table, on Friday").slots == {"day": "friday", "time": "eight"}
    assert caller.says("for three", hears="").slots["party_size"] == "three"
    assert caller.says("george").slots["name"] == "george"


def test_dropping_a_booking_in_the_making():
    caller = Caller()
    caller.says("i would like to book a table for two")
    dropped = caller.says("oh never mind")
    assert (dropped.intent, dropped.slots) == ("cancel_booking", {})
    assert "Nothing is booked" in dropped.reply
    assert caller.says("tomorrow").intent == "unclear"


def test_cancelling_what_was_just_booked():
    caller = Caller()
    caller.says("a table for four on friday at seven my name is anna")
    caller.says("yes")
    asked = caller.says("sorry i want to cancel that")
    assert asked.reply == "One moment. Shall I cancel a table for four, on Friday, at seven, under the name Anna?"
    assert caller.says("no").reply == "All right. The booking stays as it is."
    caller.says("please cancel my booking")
    assert caller.says("yes please").reply.startswith("It is cancelled.")


def test_cancelling_what_was_booked_another_day():
    caller = Caller()
    assert "What name" in caller.says("i want to cancel my reservation").reply
    assert caller.says("martin").reply == "One moment. Shall I cancel the booking of Martin?"
    assert caller.says("yes").reply.startswith("It is cancelled.")


def test_changing_what_was_booked():
    caller = Caller()
    caller.says("a table for four on friday at seven my name is anna")
    caller.says("yes")
    assert "What shall I change?" in caller.says("i would like to change my booking").reply
    assert caller.says("at nine o'clock").slots["time"] == "nine"


def test_two_bookings_in_one_call():
    caller = Caller()
    caller.says("a table for four on friday at seven my name is anna")
    caller.says("yes")
    second = caller.says("and i want to book another table for sunday")
    assert second.slots == {"day": "sunday"}


def test_a_garbled_answer_is_asked_again_in_other_words():
    caller = Caller()
    caller.says("i would like to book a table")
    first, second = caller.says("of the of the").reply, caller.says("in the of").reply
    assert first.endswith("Which day would you like?")
    assert "day" in second
    assert first != second
