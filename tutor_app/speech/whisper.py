"""One decoding by Whisper: a piece of sound in, its most likely words out, with how sure they are.

For child processes only: it loads CTranslate2. It drives the pieces of faster-whisper 1.2.1 rather than its
`transcribe`, which always computes a window of 30 s; the encoder takes shorter ones, and a short answer then costs
a fraction. Neither earlier words nor the expected answer are ever put into the prompt.
"""

from __future__ import annotations

import functools
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import opencc
import regex
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_ctranslate2_storage, get_suppressed_tokens

from tutor_app.speech.audio import Samples
from tutor_app.speech.bilingual import read_both
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.words import Words

FRAMES_S = 100
LONGEST_FRAMES = 30 * FRAMES_S
PADDING_S = 4.0
"""Silence after the sound. Whisper was taught on windows that end in silence; without any it repeats itself."""
SHORTEST_S = 8.0
"""Windows shorter than this cost little less and are understood worse."""
TOKENS_S = 12
"""Most tokens for a second of sound: fast speech has 6; a decoder that runs wild is stopped here."""
LOOP = regex.compile(r"(\p{Han}{6,}|.{18,}).*\1")
"""A text that begins again: sooner the decoder's doing, in a short window, than the speaker's."""
USUAL_TOKENS_S = 4
TRADITIONAL = frozenset({"Hant", "TW", "HK", "MO"})
LEAST_PROBABILITY = 1e-8
NO_ENGLISH = 0.03
"""Share of English in a whole piece up to which no clause is looked for: that takes as long as reading it."""
LANGUAGE_PADDING_S = 1.2


class Whisper:
    """A model in memory."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the model of a folder in int8. Raises SpeechError when it is not one, or does not fit in memory."""
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            raise SpeechError(
                f"The speech model in {folder} cannot be loaded ({error}). Choose another, or get it again."
            ) from error
        self._tokenizers: dict[str, Tokenizer] = {}

    @property
    def multilingual(self) -> bool:
        """False for the `.en` models."""
        return bool(self._model.model.is_multilingual)

    def hear(
        self, sound: Samples, languages: Sequence[str], beam: int, *, whole_window: bool = False
    ) -> Words:
        """The words of at most 30 s of sound, in the first of `languages` (BCP 47).

        With a second language, English, what is said in that is written in it instead of being translated unasked.
        `whole_window` computes all 30 s, as faster-whisper does.
        """
        tag = languages[0]
        language = tag.partition("-")[0]

        def share(piece: Samples) -> float:
            return self.english(piece, language)

        def read(piece: Samples, spoken: str) -> Words:
            return self.hear(piece, [tag if spoken == language else spoken], beam)

        if len(languages) > 1 and self.multilingual and share(sound) > NO_ENGLISH:
            return read_both(sound, language, share, read)
        features = self._model.feature_extractor(self._padded(sound))[:, :LONGEST_FRAMES]
        if whole_window and features.shape[1] < LONGEST_FRAMES:
            features = np.pad(features, ((0, 0), (0, LONGEST_FRAMES - features.shape[1])))
        encoded = self._model.model.encode(get_ctranslate2_storage(features[np.newaxis]))
        limit = 8 + int(TOKENS_S * len(sound) / 16_000)
        words = self._decoded(encoded, language, tag, beam, limit)
        if LOOP.search(words.text) and not whole_window:
            return self.hear(sound, languages[:1], beam, whole_window=True)
        return words

    def english(self, sound: Samples, language: str) -> float:
        """How likely a sound is English rather than in `language`, 0 to 1."""
        padded = np.pad(sound, (0, int(LANGUAGE_PADDING_S * 16_000)))
        features = self._model.feature_extractor(padded)[:, :LONGEST_FRAMES]
        encoded = self._model.model.encode(get_ctranslate2_storage(features[np.newaxis]))
        found = {token.strip("<|>"): p for token, p in self._model.model.detect_language(encoded)[0]}
        english, other = found.get("en", 0.0), found.get(language, 0.0)
        return float(english / max(english + other, LEAST_PROBABILITY))

    def timed(self, seconds: float, beam: int) -> float:
        """Seconds of work for `seconds` of speech, with as many tokens as speech usually has.

        What is heard is noise, which the decoder would otherwise stop at, or run wild on.
        """
        noise = np.random.default_rng(0).standard_normal(int(seconds * 16_000)).astype(np.float32)
        took = []
        for _ in range(2):  # the first warms up
            began = time.perf_counter()
            features = self._model.feature_extractor(self._padded(noise))[:, :LONGEST_FRAMES]
            encoded = self._model.model.encode(get_ctranslate2_storage(features[np.newaxis]))
            self._decoded(encoded, "es", "es", beam, int(USUAL_TOKENS_S * seconds))
            took.append(time.perf_counter() - began)
        return took[-1]

    def _decoded(self, encoded: Any, language: str, tag: str, beam: int, limit: int) -> Words:
        """The likeliest words for an encoded sound; at most `limit` tokens."""
        tokenizer = self._tokenizer(language)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            length_penalty=1.0,
            max_length=min(len(prompt) + limit, self._model.max_length),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
        )[0]
        tokens = result.sequences_ids[0]
        text = in_script(tokenizer.decode(tokens).strip(), language, tag)
        return Words(
            text=text,
            language=language if self.multilingual else "en",
            # The score is the sum divided by the length, which does not count the end token: this does.
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech_prob=result.no_speech_prob,
            compression_ratio=_compression(text),
            tokens=len(tokens),
        )

    def weigh(self, sound: Samples, language: str, texts: Sequence[str]) -> list[tuple[float, int]]:
        """How likely each text is given the sound: log probability, and tokens. At most 30 s of sound."""
        features = self._model.feature_extractor(self._padded(sound))[:, :LONGEST_FRAMES]
        encoded = self._model.model.encode(get_ctranslate2_storage(features[np.newaxis]))
        tokenizer = self._tokenizer(language)
        found = []
        for text in texts:
            tokens = tokenizer.encode(text)
            aligned = self._model.model.align(
                encoded, list(tokenizer.sot_sequence), [tokens], [features.shape[1]]
            )[0]
            probabilities = np.maximum(np.asarray(aligned.text_token_probs), LEAST_PROBABILITY)
            found.append((float(np.log(probabilities).sum()), len(tokens)))
        return found

    def _padded(self, sound: Samples) -> Samples:
        least = int(SHORTEST_S * 16_000)
        padding = max(int(PADDING_S * 16_000), least - len(sound))
        return np.pad(sound, (0, padding))

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer,
                self.multilingual,
                task="transcribe",
                language=language if self.multilingual else "en",
            )
        return self._tokenizers[language]


def in_script(text: str, language: str, tag: str) -> str:
    """Chinese in the script of `tag`: Whisper writes either one for the same voice, whatever is asked for."""
    if language != "zh":
        return text
    traditional = any(part in TRADITIONAL for part in tag.split("-"))
    return str(_converter("s2t" if traditional else "t2s").convert(text))


@functools.cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / max(1, len(zlib.compress(data)))
