"""What `tutor doctor` says of speech: the microphone, the recogniser and how fast it is here."""

from __future__ import annotations

import os
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.speech.hear import Recogniser
from tutor_app.speech.listening import Ear
from tutor_app.speech.recognisers import DEFAULT, ENTRIES, Recognisers, SpeechEntry, find
from tutor_app.speech.voice import Voice
from tutor_app.speech.voices import ESPEAK

COMFORTABLE_RTF = 0.3
"""Work for a second of speech, while the learner speaks, that leaves the machine time for everything else."""
GET_VOICE = "`tutor models pull kokoro` gets natural voices for es fr zh en (89 MB)"
SLOW_RTF = 0.8
"""With more than this the words come noticeably late."""


def microphone(data_dir: Path | None = None) -> tuple[bool, str]:
    """Whether a microphone can be recorded from, and what it is or what to do."""
    ear = Ear(data_dir or Path())
    try:
        names = [] if os.environ.get("TUTOR_MICROPHONE") else list(ear.devices())
        level = ear.sample()
    except TutorError as error:
        return False, str(error)
    finally:
        ear.close()
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return True, f"{shown or os.environ.get('TUTOR_MICROPHONE', '')} (sound comes, {level:.0f} dB)"


def recogniser(data_dir: Path) -> tuple[bool, str, float | None]:
    """Whether speech can be recognised, what by and how fast, and seconds of work for a second of speech."""
    ear = Recogniser(data_dir)
    try:
        model = Recognisers(data_dir).ensure()
        rtf = ear.real_time_factor()
    except TutorError as error:
        return False, str(error), None
    finally:
        ear.close()
    entry = recommended(rtf, find(model.id))
    text = f"{model.id}, {model.size_bytes / 1e6:.0f} MB: {rtf:.2f} s of work for a second of speech"
    if entry.id == model.id:
        return rtf < SLOW_RTF, f"{text}. Recommended for this machine.", rtf
    return rtf < SLOW_RTF, f"{text}. Recommended for this machine: {entry.id} ({entry.note}).", rtf


def voice(data_dir: Path) -> tuple[bool, str]:
    """Whether lines can be read aloud, and in which languages naturally, or what to do."""
    speaking = Voice(data_dir)
    try:
        outputs = speaking.outputs()
    except TutorError as error:
        return False, str(error)
    finally:
        speaking.close()
    natural = [language for language in ESPEAK if any(each.natural for each in speaking.voices.of(language))]
    text = f"natural voices for {' '.join(natural)}" if natural else f"only the robotic one. {GET_VOICE}"
    if not outputs:
        return False, f"{text}; no loudspeaker or headphones were found, so nothing can be heard"
    return bool(natural), f"{text}; {', '.join(outputs[:2])}"


def recommended(rtf: float, measured: SpeechEntry | None) -> SpeechEntry:
    """The largest speech model that this machine runs comfortably, from the time that one of them took."""
    work = measured.work if measured is not None else 1.0
    fitting = [entry for entry in ENTRIES if rtf * entry.work / work <= COMFORTABLE_RTF]
    default = find(DEFAULT)
    assert default is not None
    smallest = min(ENTRIES, key=lambda entry: entry.work)
    return max(fitting, key=lambda entry: entry.work, default=smallest if rtf / work > SLOW_RTF else default)
