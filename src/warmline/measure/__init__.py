"""The ruler: a caller that measures at the ear, what its figures are worth, and the voices that it speaks with."""

from warmline.measure.audibility import AUDIBLE_DBFS, audible_span, longest_silence_sec, speech_onset
from warmline.measure.caller import Caller
from warmline.measure.default_call import DEFAULT_CALL
from warmline.measure.exchange import place_calls
from warmline.measure.llm_advice import LlmGain, advice_for, gain_of
from warmline.measure.llm_probe import LlmFindings, LlmRequest, LlmState, probe_llm
from warmline.measure.llm_target import LlmTarget
from warmline.measure.plan import CallPlan
from warmline.measure.results import CallResult, TurnResult
from warmline.measure.script import CallScript, ScriptTurn, load_script
from warmline.measure.server_process import ServerProcess
from warmline.measure.speaker import Speaker
from warmline.measure.statistics import (
    Estimate,
    cold_tax_ms,
    difference_of_medians,
    median,
    median_estimate,
    no_slower,
    percentile,
    ratio_of_medians,
)
from warmline.measure.summary import Spread, Summary, Tally, call_cold_tax_ms, summarize
from warmline.measure.utterance import Utterance
from warmline.measure.voices import FLITE_VOICES, Voice
from warmline.measure.wire_audio import SAMPLE_RATE_HZ, Samples, read_wav

__all__ = [
    "AUDIBLE_DBFS",
    "DEFAULT_CALL",
    "FLITE_VOICES",
    "SAMPLE_RATE_HZ",
    "CallPlan",
    "CallResult",
    "CallScript",
    "Caller",
    "Estimate",
    "LlmFindings",
    "LlmGain",
    "LlmRequest",
    "LlmState",
    "LlmTarget",
    "Samples",
    "ScriptTurn",
    "ServerProcess",
    "Speaker",
    "Spread",
    "Summary",
    "Tally",
    "TurnResult",
    "Utterance",
    "Voice",
    "advice_for",
    "audible_span",
    "call_cold_tax_ms",
    "cold_tax_ms",
    "difference_of_medians",
    "gain_of",
    "load_script",
    "longest_silence_sec",
    "median",
    "median_estimate",
    "no_slower",
    "percentile",
    "place_calls",
    "probe_llm",
    "ratio_of_medians",
    "read_wav",
    "speech_onset",
    "summarize",
]
