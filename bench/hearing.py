"""How well the embedded recogniser hears, and how soon after the last word: four synthetic voices, without a network.

    python bench/hearing.py                          # about 5 minutes; needs flite and espeak-ng
    python bench/hearing.py --voices slt --unseen tuning --show-errors

Each voice says the scenario's phrases (a seeded choice, slots filled) and sentences worded unlike them
(hearing_sentences.toml), mixed into calls of five turns: as in a call, the first turn of each knows nothing of the
voice. Half a second of silence precedes the words, a quarter follows. The time is that of `finish`, when the audio
before it has been decoded while it was spoken: see the real-time factor. Writes bench/results/hearing.{json,md}.
"""

import argparse
import json
import random
import statistics
import string
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from warmline.engines.pocketsphinx import PocketsphinxConfig
from warmline.engines.pocketsphinx.listener import Listener, load_listener
from warmline.engines.pocketsphinx.model_files import model_files
from warmline.measure import Voice
from warmline.report import markdown_table
from warmline.settings import Scenario, load_scenario

_BENCH = Path(__file__).parent
_VOICES = ("slt", "rms", "awb", "espeak")
_CALL_TURNS = 5
_BEFORE_SEC, _AFTER_SEC = 0.5, 0.25
_RATE_HZ, _CHUNK_BYTES = 16_000, 640
_SEED = 20_261_121


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to say; `wording` is known, tuning or held_out."""

    wording: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """One utterance: what was said and heard, in words, and what it took."""

    voice: str
    wording: str
    said: str
    heard: str
    confidence: float
    wrong_words: int
    finish_ms: float
    decoding_sec: float
    audio_sec: float


def main() -> int:
    """Speak, hear, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--voices", nargs="+", default=_VOICES, choices=_VOICES)
    parser.add_argument("--unseen", nargs="+", default=("tuning", "held_out"), choices=("tuning", "held_out"))
    parser.add_argument("--show-errors", action="store_true", help="print what was misheard")
    parser.add_argument("--cache", type=Path, default=_BENCH / ".cache" / "pocketsphinx")
    parser.add_argument("--output", type=Path, default=_BENCH / "results", help="folder of the results")
    options = parser.parse_args()
    scenario = load_scenario()
    listener = _listener(scenario, options.cache)
    found = [hearing for name in options.voices for hearing in _hear(Voice(name), listener, scenario, options.unseen)]
    if options.show_errors:
        print(markdown_table(["voice", "said", "heard"], [_error(h) for h in found if h.wrong_words]))
    page = _page(found)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "hearing.json").write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n")
    (options.output / "hearing.md").write_text(page)
    print(page)
    return 0


def _listener(scenario: Scenario, cache: Path) -> Callable[[], Listener]:
    phrases = tuple(phrase for each in scenario.phrases.values() for phrase in each)
    config = PocketsphinxConfig(phrases=phrases, slots=scenario.slots, cache_dir=cache)
    return load_listener(model_files(config.all_phrases(), config.all_slots(), config.cache_dir))


def _hear(
    voice: Voice, new_listener: Callable[[], Listener], scenario: Scenario, unseen: Sequence[str]
) -> Iterator[Hearing]:
    sentences = _sentences(scenario, unseen)
    for start in range(0, len(sentences), _CALL_TURNS):
        listener = new_listener()
        for sentence in sentences[start : start + _CALL_TURNS]:
            yield _hear_one(voice, listener, sentence)


def _sentences(scenario: Scenario, unseen: Sequence[str]) -> list[Sentence]:
    """As many known as unseen ones, in a seeded order that is the same for every voice."""
    listed = tomllib.loads((_BENCH / "hearing_sentences.toml").read_text(encoding="utf-8"))
    chosen = [Sentence(wording, text) for wording in unseen for text in listed[wording]]
    dice = random.Random(_SEED)
    phrases = sorted({phrase for each in scenario.phrases.values() for phrase in each})
    known = [Sentence("known", _filled(phrase, scenario, dice)) for phrase in dice.sample(phrases, len(chosen))]
    mixed = [*chosen, *known]
    dice.shuffle(mixed)
    return mixed


def _filled(phrase: str, scenario: Scenario, dice: random.Random) -> str:
    return string.Template(phrase).substitute({slot: dice.choice(values) for slot, values in scenario.slots.items()})


def _hear_one(voice: Voice, listener: Listener, sentence: Sentence) -> Hearing:
    speech = voice.say(sentence.text).samples.astype("<i2").tobytes()
    pcm = bytes(2 * int(_BEFORE_SEC * _RATE_HZ)) + speech + bytes(2 * int(_AFTER_SEC * _RATE_HZ))
    started_sec = time.perf_counter()
    listener.begin()
    for start in range(0, len(pcm), _CHUNK_BYTES):
        listener.feed(pcm[start : start + _CHUNK_BYTES])
    fed_sec = time.perf_counter()
    heard = listener.finish()
    finished_sec = time.perf_counter()
    return Hearing(
        voice=voice.name,
        wording=sentence.wording,
        said=sentence.text,
        heard=heard.text,
        confidence=round(heard.confidence, 4),
        wrong_words=word_errors(sentence.text.split(), heard.text.split()),
        finish_ms=(finished_sec - fed_sec) * 1000,
        decoding_sec=finished_sec - started_sec,
        audio_sec=len(pcm) / 2 / _RATE_HZ,
    )


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein distance in words: substitutions, insertions and deletions."""
    row = np.arange(len(heard) + 1)
    for place, word in enumerate(said, 1):
        above, row = row, np.empty_like(row)
        row[0] = place
        for column, other in enumerate(heard, 1):
            row[column] = min(above[column] + 1, row[column - 1] + 1, above[column - 1] + (word != other))
    return int(row[-1])


def _page(found: Sequence[Hearing]) -> str:
    headers = ["voice", "wording", "sentences", "WER", "right whole", "finish median / p95 ms", "RTF"]
    groups = sorted(
        {(each.voice, each.wording) for each in found}, key=lambda group: (_VOICES.index(group[0]), group[1])
    )
    rows = [
        _row(voice, wording, [h for h in found if (h.voice, h.wording) == (voice, wording)])
        for voice, wording in groups
    ]
    return "\n\n".join(
        [
            "# Hearing",
            "Word error rate and delay of the embedded recogniser, measured by `bench/hearing.py`. *Known* are phrases "
            "of the scenario; *tuning* and *held_out* are worded unlike any of them, and only the former were ever "
            "looked at to choose a setting. RTF: processor time of decoding, as a share of the audio's length.",
            markdown_table(headers, rows, text_columns=2) + "\n",
        ]
    )


def _row(voice: str, wording: str, group: Sequence[Hearing]) -> list[str]:
    words = sum(len(each.said.split()) for each in group)
    finish_ms = [each.finish_ms for each in group]
    return [
        voice,
        wording,
        str(len(group)),
        f"{100 * sum(each.wrong_words for each in group) / words:.1f} %",
        f"{100 * sum(not each.wrong_words for each in group) / len(group):.0f} %",
        f"{statistics.median(finish_ms):.0f} / {np.percentile(finish_ms, 95):.0f}",
        f"{sum(each.decoding_sec for each in group) / sum(each.audio_sec for each in group):.2f}",
    ]


def _error(hearing: Hearing) -> list[str]:
    return [hearing.voice, hearing.said, hearing.heard or "-"]


if __name__ == "__main__":
    sys.exit(main())
