"""The course's voices say the same in every process and in any order, or say in one sentence why they cannot."""

import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from lepton_helpers import speech

DIGESTS = """
import hashlib, json, sys
from lepton_helpers import speech
voices = [f"{accent}+{voice}" for voice in speech.VOICES for accent in speech.ACCENTS[:2]]
said = {voice: speech.say("seven", voice) for voice in voices[:: int(sys.argv[1])]}
digests = {voice: hashlib.sha256(wave.tobytes()).hexdigest() for voice, wave in said.items()}
print(json.dumps(digests, sort_keys=True))
"""


def test_every_voice_says_the_same_in_every_process_and_in_any_order():
    forward, backward, again = (
        subprocess.check_output([sys.executable, "-c", DIGESTS, step], text=True) for step in ("1", "-1", "1")
    )
    assert forward == backward == again
    digests = json.loads(forward)
    assert len(digests) == len(set(digests.values())) == 2 * len(speech.VOICES)  # no two voices sound the same


def test_what_was_said_before_changes_nothing():
    digests = set()
    for before in ("", "something else entirely"):
        speech.say(before, "en+m7")
        digests.add(hashlib.sha256(speech.say("nine", "en-us+linda", 200, 70).tobytes()).hexdigest())
    assert len(digests) == 1


def test_a_wave_is_at_8000_samples_a_second_and_obeys_the_rate():
    slow, fast = (speech.say("one two three four five", rate=rate) for rate in (100, 300))
    assert slow.dtype == np.float64 and slow.ndim == 1 and 0.1 < np.abs(slow).max() <= 1
    assert 0.5 < len(fast) / speech.SAMPLE_RATE < 1.5 < len(slow) / speech.SAMPLE_RATE < 4


def test_phonemes_come_with_the_samples_at_which_they_start():
    wave, phonemes = speech.say_with_phonemes("seven")
    assert [name for name, _ in phonemes[:5]] == ["s", "'E", "v", "@", "n"]
    starts = [start for _, start in phonemes]
    assert starts == sorted(starts) and starts[0] >= 0 and starts[-1] <= len(wave)


def test_every_accent_is_one_of_its_own():
    waves = {speech.say("bath water nine", f"{accent}+m7").tobytes() for accent in speech.ACCENTS}
    assert len(waves) == len(speech.ACCENTS)


def test_a_voice_that_the_installed_espeak_does_not_know_is_reported(monkeypatch):
    monkeypatch.setattr(speech, "ACCENTS", ("en-gb",))  # a language of eSpeak NG, but no name of a voice file
    with pytest.raises(RuntimeError, match="does not know the voice 'en-gb.m7'"):
        speech.say("one", "en-gb+m7")


@pytest.mark.parametrize("voice", ["en-us+f3", "en-us", "fr+m2", "", None])
def test_a_voice_that_is_not_stable_or_unknown_is_refused(voice):
    with pytest.raises(ValueError, match="is not a voice of this course"):
        speech.say("one", voice)


@pytest.mark.parametrize("setting", [{"rate": 20}, {"rate": 1000}, {"pitch": -1}, {"pitch": 100}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match="must lie in 80 to 450"):
        speech.say("one", **setting)


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(RuntimeError, match=r"is missing\. Run in a cell .*: %pip install \S+ \S+ (\S+)$") as refusal:
        speech.say("one")
    requirement = str(refusal.value).split()[-1]
    assert requirement in pathlib.Path(__file__).parent.parent.joinpath("requirements.txt").read_text().splitlines()
