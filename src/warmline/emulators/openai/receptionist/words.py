"""Text of any recogniser as plain spoken words: no digits, no punctuation, one spelling of the clock."""

import re

__all__ = ["HOURS", "NUMBERS", "number_word", "spoken_words"]

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "6th": "sixth", "7th": "seventh",
    "8th": "eighth", "9th": "ninth", "10th": "tenth", "11th": "eleventh", "12th": "twelfth",
}  # fmt: skip

NUMBERS = {word: number for number, word in enumerate(_UNITS)} | {
    word: 10 * (place + 2) for place, word in enumerate(_TENS)
}
HOURS = tuple(_UNITS[1:13])

_CLOCK = re.compile(r"\b(?:o'clock|o clock|oh clock|oclock|a clock|of clock|o'clock's)\b")
_MERIDIEM = re.compile(r"(?<=[\d ])([ap])\.? ?m\b\.?")
_DAY_IN_TWO = re.compile(r"\b(?:to|two|too) (morrow|night|day)\b")


def number_word(number: int) -> str:
    """`number` (0..99) in words."""
    if number < 20:
        return _UNITS[number]
    return _TENS[number // 10 - 2] + (f" {_UNITS[number % 10]}" if number % 10 else "")


def spoken_words(text: str) -> str:
    """`text` as lower-case words with one space between."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for written, spoken in _ORDINALS.items():
        text = text.replace(written, spoken)
    text = _MERIDIEM.sub(r" \1m ", text)
    text = re.sub(r"\d+", _digits, re.sub(r"(\d):00\b", r"\1 oclock", text))
    text = _DAY_IN_TWO.sub(r"to\1", _CLOCK.sub("oclock", text))
    return " ".join(re.findall(r"[a-z']+", text))


def _digits(match: re.Match[str]) -> str:
    digits = match.group()
    words = [number_word(int(digits))] if len(digits) <= 2 else [_UNITS[int(digit)] for digit in digits]
    return f" {' '.join(words)} "
