"""The part of espeak-ng's C interface that speaking takes (speak_lib.h), through ctypes."""

import ctypes
from collections.abc import Callable

import espeakng_loader

__all__ = ["Espeak"]

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT_ON_ERROR = 0x8000
_RATE_PARAMETER = 1
_CHARS_UTF8 = 1
_BUFFER_MS = 20
_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """One voice. Not for use by two threads: the library's state is global to the process."""

    def __init__(self, voice: str, rate_wpm: int) -> None:
        """Load the library and the voice.

        Raises:
            RuntimeError: espeak-ng would not start, or has no such voice.
        """
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path().encode()
        self.sample_rate_hz: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, data_path, _DONT_EXIT_ON_ERROR
        )
        if self.sample_rate_hz <= 0:
            raise RuntimeError("espeak-ng did not start")
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise RuntimeError(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, rate_wpm, 0)
        self._sink: Callable[[bytes], bool] = lambda _: False
        # The library keeps the pointer, so the callback must live as long as this object.
        self._callback = _Callback(self._on_audio)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, sink: Callable[[bytes], bool]) -> None:
        """Hand the PCM (s16le mono, `sample_rate_hz`) of `text` to `sink` as it is made, until `sink` returns False.

        Raises:
            RuntimeError: espeak-ng refused the text.
        """
        self._sink = sink
        encoded = text.encode()
        if self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _CHARS_UTF8, None, None) != _OK:
            raise RuntimeError("espeak-ng refused the text")

    def _on_audio(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if not samples or count <= 0:
            return 0
        return 0 if self._sink(ctypes.string_at(samples, count * 2)) else 1
