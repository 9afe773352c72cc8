"""Whether what the recogniser wrote was said at all.

Whisper writes sentences for silence, fans and music, some of them learnt from subtitles. No single sign of that is
sure, so one that cannot be doubted, or two that can, are needed to drop a piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

QUIET_DB = -58.0
"""Of full scale: below this nobody speaks into the microphone (a quiet voice at arm's length is about -45)."""
SHORT_SPEECH_S = 0.12
"""Less than this of what the voice detector takes for speech is a click; "sí" is 0.2 s."""
UNSURE_VOICE = 0.70
"""Mean certainty of the voice detector over what it takes for speech; speech has 0.85 and more."""
NO_SPEECH = 0.6
LOW_LOGPROB = -1.0
"""Whisper's own limits for silence and for a failed decoding."""
HOPELESS_LOGPROB = -1.6
REPETITIVE = 2.4
"""Length against compressed length, above which a text goes round in circles (Whisper's own limit)."""
FASTEST_CHARACTERS_S = 30.0
"""Nobody speaks faster; fast Spanish has about 20 characters a second."""
FASTEST_IDEOGRAPHS_S = 11.0
FLAT = 0.35
"""Spectral flatness of noise; voices are below 0.15."""

STOCK = regex.compile(
    r"amara\.?\s?org|subt[ií]tulos? (?:realizados?|por|de)|gracias por ver|suscr[ií]b|sous-titr(?:age|es)|soustitreur"
    r"|merci d.avoir regard|radio-canada|字幕|谢谢(?:观看|大家)|感謝(?:觀看|收看)|感谢(?:观看|收看)|请不吝|請不吝|点赞"
    r"|ترجمة نانسي|اشتركوا في القناة|شكرا على المشاهدة|thanks? (?:you )?for watching|subtitles? by|please subscribe"
    r"|^[\s\[(♪*]*(?:music|música|musique|音乐|音樂|applause|aplausos|موسيقى)[\s\])♪*.]*$|[♪♫]",
    regex.IGNORECASE,
)
"""What subtitles on the internet say where nobody speaks."""
_IDEOGRAPH = regex.compile(r"\p{Han}")
_WORD = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True)
class Evidence:
    """What is known of a piece of sound and of its transcript."""

    text: str
    speech_s: float
    """How much of it the voice detector takes for speech."""
    voice: float
    """Mean certainty of the voice detector over that, 0 to 1."""
    loudness_db: float
    """Of that, in dB of full scale."""
    flatness: float
    """Spectral flatness of that: 1 is white noise, a voice is near 0."""
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


def was_said(evidence: Evidence) -> bool:
    """Whether the transcript is to be believed."""
    return not certain_doubts(evidence) and len(doubts(evidence)) < 2


def certain_doubts(evidence: Evidence) -> list[str]:
    """Signs that are enough alone."""
    signs = {
        "no words": not _WORD.search(evidence.text),
        "quiet": evidence.loudness_db < QUIET_DB,
        "click": evidence.speech_s < SHORT_SPEECH_S,
        "hopeless": evidence.avg_logprob < HOPELESS_LOGPROB,
    }
    return [name for name, seen in signs.items() if seen]


def doubts(evidence: Evidence) -> list[str]:
    """Signs of which two are enough."""
    signs = {
        "no speech": evidence.no_speech_prob > NO_SPEECH,
        "unlikely": evidence.avg_logprob < LOW_LOGPROB,
        "unsure voice": evidence.voice < UNSURE_VOICE,
        "noise": evidence.flatness > FLAT,
        "repetitive": evidence.compression_ratio > REPETITIVE,
        "too fast": _too_fast(evidence.text, evidence.speech_s),
        "subtitle": STOCK.search(evidence.text) is not None,
    }
    return [name for name, seen in signs.items() if seen]


def _too_fast(text: str, speech_s: float) -> bool:
    ideographs = len(_IDEOGRAPH.findall(text))
    least_s = ideographs / FASTEST_IDEOGRAPHS_S + (len(text.strip()) - ideographs) / FASTEST_CHARACTERS_S
    return least_s > speech_s + 0.5
