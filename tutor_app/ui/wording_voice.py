"""Words of the screens about reading aloud and about sounds. Texts with `{…}` go through `format`."""

from __future__ import annotations

KEY_AGAIN = "Hear again"
READING = "Making the voice…"
SOUNDING = "Reading aloud · F12 again, F12 twice slowly · Esc quiet"
COMPARING = "First the tutor, then you"
NOTHING_TO_HEAR = "There is nothing to hear again yet."
NO_VOICE = "There is no voice here, so you read what others hear. The step works all the same."
PRESS_TO_HEAR = "Press F12 to hear it."
SHOWN_INSTEAD = "So that you can go on, here is what it says: {text}"
CLEAR = "Clear: {words}."
AGAIN = "Listen again: {word} – and {other}. Then say it once more if you like. ({tip})"

READ_LABEL = "Reading aloud"
READ_VALUES = (
    ("auto", "When there is a natural voice, and not in a lab"),
    ("on", "Always, also with the robotic voice"),
    ("off", "Only when I press F12"),
)
READ_HELP = (
    "The tutor's lines and the dictations. A natural voice: `tutor models pull kokoro` in a terminal (89 MB)."
)
PACE_LABEL = "Pace of reading"
PACE_VALUES = (("normal", "Calm"), ("slow", "Slow"))
PACE_HELP = "F12 says the last line again, and slowly when you press it once more."
VOICE_LABEL = "Voice"
VOICE_VALUES = (
    ("1", "The first"),
    ("2", "The second, where there is one"),
    ("3", "The third, where there is one"),
)
VOICE_HELP = "Kokoro has three voices for Spanish, eight for Chinese and one for French."
