"""Speech for lesson 10: eSpeak NG, a program that speaks by rule (formant synthesis), called as a library.

The speech is synthetic. The library comes inside the package espeakng-loader and runs in this process; nothing is
downloaded, nothing is played. A waveform depends on the arguments of ``say`` alone, not on what was said before: each
utterance gets a fresh copy of the library, because eSpeak NG carries the slow waver of its pitch from one to the next.
"""

import _ctypes
import ctypes
import functools

import numpy as np

from lepton_helpers.data import mend

SAMPLE_RATE = 8000  # values per second, as on a telephone
ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")  # "en" is British
# Of eSpeak NG's own voices, those that say the same in every process and are no near-copies of each other. Left out are
# those with breath or whisper, whose noise comes from the C library's random numbers, and the robots.
# fmt: off
VOICES = (
    "Alex", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Jacky", "Lee", "Marco", "Mario", "Mike",
    "Nguyen", "anika", "antonio", "aunty", "belinda", "boris", "david", "ed", "edward", "f1", "f4", "grandma",
    "grandpa", "gustave", "ian", "iven", "iven4", "john", "kaukovalta", "klatt", "linda", "m1", "m2", "m3", "m4",
    "m5", "m6", "m7", "m8", "marcelo", "max", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "shelby",
    "steph", "travis", "zac",
)
# fmt: on
_ESPEAK_RATE, _SYNCHRONOUS, _PHONEME_EVENTS, _UTF_8, _RATE, _PITCH, _PHONEME = 22050, 2, 1, 1, 1, 3, 7


_INSTALL = mend("espeakng-loader==0.2.4")


class _Event(ctypes.Structure):
    """espeak_EVENT of eSpeak NG's speak_lib.h."""

    _fields_ = [(name, ctypes.c_int) for name in ("type", "identifier", "text_position", "length", "ms", "sample")]
    _fields_ += [("user_data", ctypes.c_void_p), ("phoneme", ctypes.c_char * 8)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_UNLOAD = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)


def say(text, voice="en-us+m2", rate=175, pitch=50):
    """Return ``text`` spoken, a float64 array of shape (samples,) at 8,000 samples a second, values from -1 to 1.

    Args:
        text: English text.
        voice: one of ``ACCENTS``, a plus sign, one of ``VOICES``.
        rate: words a minute, 80 to 450.
        pitch: 0 (low) to 99 (high).

    Raises:
        ValueError: the voice is not one of those that say the same in every process, or rate or pitch is out of range.
        RuntimeError: the package espeakng-loader is missing.
    """
    return say_with_phonemes(text, voice, rate, pitch)[0]


def say_with_phonemes(text, voice="en-us+m2", rate=175, pitch=50):
    """Return what `say` returns, and the phonemes: a list of (name, first sample); ``"_:"`` and the like are pauses."""
    accent, _, speaker = str(voice).partition("+")
    if accent not in ACCENTS or speaker not in VOICES:
        raise ValueError(
            f"{voice!r} is not a voice of this course; join one of speech.ACCENTS, a +, one of speech.VOICES."
        )
    if not 80 <= rate <= 450 or not 0 <= pitch <= 99:
        raise ValueError(f"rate must lie in 80 to 450 and pitch in 0 to 99; they are {rate} and {pitch}.")
    try:
        import espeakng_loader
    except ImportError:
        raise RuntimeError(f"The package that speaks is missing. {_INSTALL}") from None
    from scipy.signal import resample_poly

    pieces, phonemes = [], []

    def take(samples, count, event):
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while event and event[i].type:
            if event[i].type == _PHONEME:
                start = round(event[i].sample * SAMPLE_RATE / _ESPEAK_RATE)
                phonemes.append((event[i].phoneme.decode(), start))
            i += 1
        return 0

    callback = _CALLBACK(take)  # kept alive until the library is gone
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), _PHONEME_EVENTS)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()):
        raise RuntimeError(f"eSpeak NG does not know the voice {voice!r}. {_INSTALL}")
    library.espeak_SetParameter(_RATE, int(rate), 0)
    library.espeak_SetParameter(_PITCH, int(pitch), 0)
    content = text.encode()
    library.espeak_Synth(content, ctypes.c_size_t(len(content) + 1), 0, 1, 0, _UTF_8, None, None)
    library.espeak_Synchronize()
    library.espeak_Terminate()
    _UNLOAD(library._handle)
    spoken = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    return resample_poly(spoken / 32768, 160, 441, window=_low_pass()), phonemes  # 22,050 * 160 / 441 = 8,000


@functools.cache
def _low_pass():
    """The filter that resample_poly would design anew for every wave."""
    from scipy.signal import firwin

    return firwin(2 * 10 * 441 + 1, 1 / 441, window=("kaiser", 5.0))
