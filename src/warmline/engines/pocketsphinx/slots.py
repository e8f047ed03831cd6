"""What callers say for a number, a time, a day, a name: slots that every scenario may use without listing them."""

__all__ = ["ALONE", "BUILT_IN_SLOTS"]

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")
_HOURS = (*_ONES, "ten", "eleven", "twelve")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Among the most frequent of the United States census of 1990.
_FIRST_NAMES = (
    "james john robert michael william david richard joseph thomas charles daniel matthew anthony mark donald steven "
    "paul andrew joshua kenneth kevin brian george edward peter jack henry martin simon adam alan oliver frank mary "
    "patricia jennifer linda elizabeth barbara susan jessica sarah karen nancy lisa betty margaret sandra anna ashley "
    "emily donna michelle carol amanda melissa laura helen sharon amy angela ruth julia nicole katherine catherine "
    "christine maria alice emma lucy sophie"
)
_LAST_NAMES = (
    "smith johnson williams brown jones garcia miller davis martinez wilson anderson taylor thomas moore jackson "
    "martin lee thompson white harris clark lewis robinson walker young allen king wright scott hill green adams "
    "nelson baker hall campbell mitchell carter roberts evans turner parker collins edwards stewart morris murphy "
    "cook rogers morgan cooper peterson bailey reed kelly howard ward watson brooks gray bennett wood hughes price "
    "foster jenkins perry powell russell sullivan fisher"
)
_MINUTES = ("thirty", "fifteen", "forty five")
_RELATIVE = ("half past", "quarter past", "a quarter past", "quarter to", "a quarter to", "ten past", "twenty past")

BUILT_IN_SLOTS: dict[str, tuple[str, ...]] = {
    "number": (*_HOURS, *_TEENS, "a couple of"),
    "time": (
        *_HOURS,
        *(f"{hour} o'clock" for hour in _HOURS),
        *(f"{hour} {minutes}" for hour in _HOURS for minutes in _MINUTES),
        *(f"{relation} {hour}" for hour in _HOURS for relation in _RELATIVE),
        *(f"{hour} in the {part}" for hour in _HOURS for part in ("morning", "evening", "afternoon")),
        "noon",
        "midnight",
        "lunch time",
    ),
    "day": (
        *_WEEKDAYS,
        "today",
        "tomorrow",
        "tonight",
        "the weekend",
        *(f"{which} {weekday}" for weekday in _WEEKDAYS for which in ("next", "this")),
        *(f"{weekday} {part}" for weekday in (*_WEEKDAYS, "tomorrow") for part in ("morning", "evening", "night")),
    ),
    "name": (
        *_FIRST_NAMES.split(),
        *_LAST_NAMES.split(),
        *(f"{first} {last}" for first in _FIRST_NAMES.split()[:40] for last in _LAST_NAMES.split()[:40:4]),
    ),
}

ALONE = (
    "yes",
    "no",
    "yes please",
    "yes that is right",
    "that's right",
    "that is correct",
    "no thank you",
    "no thanks",
    "thank you",
    "thanks",
    "thank you very much",
    "okay",
    "sure",
    "bye",
    "goodbye",
    "hello",
    "hi",
    "please",
    "$number",
    "for $number",
    "$number people",
    "$day",
    "on $day",
    "$day at $time",
    "on $day at $time",
    "$time",
    "at $time",
    "$name",
    "my name is $name",
)
"""Phrases that answer a question, whatever the scenario."""
