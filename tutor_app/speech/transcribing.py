"""A recording that is transcribed while it is being made. For the recogniser's child process."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tutor_app.speech.audio import Samples, loudness_db
from tutor_app.speech.cutting import TRY_WINDOWS, Cutter, Piece
from tutor_app.speech.evidence import Evidence, was_said
from tutor_app.speech.voice_activity import WINDOW, WINDOW_S, VoiceDetector
from tutor_app.speech.whisper import Whisper
from tutor_app.speech.words import Words

FLATNESS_FFT = 512
UNSURE = 0.5
"""Highest confidence of a recording in which something may be translated or missing: the app then says so."""
JOINED = frozenset({"zh", "ja", "th", "lo", "my", "km"})
"""Languages whose pieces are joined without a space."""


@dataclass(frozen=True)
class Transcript:
    """What was said in a whole recording."""

    text: str
    """Empty when nobody spoke, or only noise did."""
    language: str
    confidence: float
    """Mean probability of a token, 0 to 1."""
    speech_s: float
    """How much of the recording was speech."""


@dataclass(frozen=True)
class _Job:
    piece: Piece
    final: bool
    """False for a piece that may still grow."""


class LiveTranscriber:
    """`feed` and `finish` are called by the thread that receives the sound, `work` runs in the one that decodes."""

    def __init__(
        self,
        whisper: Callable[[], Whisper],
        languages: Sequence[str],
        beam: int,
        on_text: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`whisper` is asked for when there is something to decode; `on_text` gets the words so far."""
        self._whisper = whisper
        self._languages = tuple(languages)
        self._beam = beam
        self._on_text = on_text
        self._detector = VoiceDetector()
        self._cutter = Cutter()
        self._sound: list[Samples] = []
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._newest: Piece | None = None
        """The piece asked for last, so that an older guess at it is not decoded any more."""
        self._done: list[tuple[Piece, Words | None]] = []
        self._guess: tuple[Piece, Words | None] | None = None
        self._discarded = False

    # -- the receiving thread --------------------------------------------------------------------------------

    def feed(self, samples: Samples) -> None:
        """More sound. Decides what to decode; decodes nothing."""
        self._sound.append(samples)
        for probability in self._detector.feed(samples):
            cut = self._cutter.push(probability)
            if cut is not None:
                self._ask(cut, final=True)
            if self._cutter.pause == TRY_WINDOWS and (piece := self._cutter.pending()) is not None:
                self._ask(piece, final=False)

    def finish(self) -> None:
        """No more sound comes."""
        self._detector_flush()
        if (piece := self._cutter.pending()) is not None:
            self._ask(piece, final=True)
        self._jobs.put(None)

    def discard(self) -> None:
        """Nothing of it is wanted."""
        self._discarded = True
        self._jobs.put(None)

    @property
    def heard(self) -> bool:
        """Whether anybody spoke yet."""
        return self._cutter.heard

    @property
    def pause_s(self) -> float:
        """Since somebody spoke, or since the beginning."""
        return self._cutter.pause * WINDOW_S

    def _detector_flush(self) -> None:
        """Complete the last window with silence."""
        missing = -sum(len(block) for block in self._sound) % WINDOW
        if missing:
            self.feed(np.zeros(missing, dtype=np.float32))

    def _ask(self, piece: Piece, *, final: bool) -> None:
        self._newest = piece
        self._jobs.put(_Job(piece, final))

    # -- the decoding thread ---------------------------------------------------------------------------------

    def work(self) -> Transcript | None:
        """Decode until the recording is finished; its transcript, or None when it was discarded."""
        while (job := self._jobs.get()) is not None and not self._discarded:
            if job.final:
                self._done.append((job.piece, self._decoded(job.piece)))
                self._guess = None
            elif job.piece is self._newest:
                self._guess = (job.piece, self._decoded(job.piece))
            else:
                continue
            self._on_text(self._text())
        return None if self._discarded else self._transcript()

    def _decoded(self, piece: Piece) -> Words | None:
        """The words of a piece, None when nobody spoke in it; a guess is used again when it heard the same voice."""
        if self._guess is not None and self._guess[0].voiced == piece.voiced:
            return self._guess[1]
        sound = np.concatenate(self._sound)[piece.start * WINDOW : piece.end * WINDOW]
        spoken = np.concatenate(self._sound)
        voiced = np.concatenate([spoken[at * WINDOW : (at + 1) * WINDOW] for at in piece.voiced])
        loudness = loudness_db(voiced)
        words = self._whisper().hear(_levelled(sound, loudness), self._languages, self._beam)
        evidence = Evidence(
            text=words.text,
            speech_s=len(piece.voiced) * WINDOW_S,
            voice=self._cutter.certainty(piece),
            loudness_db=loudness,
            flatness=flatness(voiced),
            avg_logprob=words.avg_logprob,
            no_speech_prob=words.no_speech_prob,
            compression_ratio=words.compression_ratio,
        )
        return words if was_said(evidence) else None

    def _pieces(self) -> list[tuple[Piece, Words]]:
        known = [*self._done, *([self._guess] if self._guess is not None else [])]
        return [(piece, words) for piece, words in known if words is not None]

    def _text(self) -> str:
        text = ""
        for _, words in self._pieces():
            gap = "" if words.language in JOINED or not text else " "
            text = f"{text}{gap}{words.text}"
        return text

    def _transcript(self) -> Transcript:
        pieces = self._pieces()
        if not pieces:
            return Transcript("", self._languages[0], 0.0, 0.0)
        tokens = sum(words.tokens for _, words in pieces) or 1
        mean = sum(words.avg_logprob * words.tokens for _, words in pieces) / tokens
        unsure = any(words.unsure for _, words in pieces)
        longest = max(pieces, key=lambda one: one[1].tokens)[1]
        return Transcript(
            text=self._text(),
            language=longest.language,
            confidence=round(min(UNSURE if unsure else 1.0, float(np.exp(mean))), 3),
            speech_s=round(sum(len(piece.voiced) for piece, _ in pieces) * WINDOW_S, 2),
        )


def _levelled(sound: Samples, loudness: float) -> Samples:
    """A quiet recording made as loud as Whisper's training speech; a loud one as it is."""
    gain = min(10 ** ((-26.0 - loudness) / 20), 0.99 / max(1e-6, float(np.max(np.abs(sound)))))
    return (sound * np.float32(gain)).astype(np.float32) if gain > 1 else sound


def flatness(sound: Samples) -> float:
    """Median spectral flatness of 32 ms frames: 1 for white noise, under 0.15 for a voice."""
    count = len(sound) // FLATNESS_FFT
    if not count:
        return 0.0
    frames = sound[: count * FLATNESS_FFT].reshape(count, FLATNESS_FFT) * np.hanning(FLATNESS_FFT)
    power = np.abs(np.fft.rfft(frames, axis=1))[:, 2:-2] ** 2 + 1e-12
    return float(np.median(np.exp(np.mean(np.log(power), axis=1)) / np.mean(power, axis=1)))
