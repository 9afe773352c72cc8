"""Words of the screen on which a pair of words is heard. Texts with `{…}` go through `format`."""

from __future__ import annotations

KEY_PAIR = "Hear the pair"
OFFER = "Hear {word} and {other}"
TITLE = "{word} – {other} · {number} of {of}"
ASK = "The tutor says one of the two. Which one do you hear?"
HEARD = "Yes, {word}. Beside it there is {other}. ({tip})"
HEARD_OTHER = "It was {word} this time. Listen to both: first {first}, then {second}. ({tip})"
NEXT = "Once more"
BACK = "Back to the lesson"
SAY_IT = "Now say it once more, if you like: F4. «{sentence}»"
NO_MICROPHONE = "Now say it once more to yourself, if you like. «{sentence}»"
SAID = "I heard: {text}"
KEY_FIRST = "The first"
KEY_SECOND = "The second"
HELP = """\
One sound tells these two words apart. The tutor says one of them; **1** and **2** choose which one you hear.
**F12** says it again, and slowly when pressed once more.

Afterwards you can say the sentence again (**F4**). Nothing here is counted or kept.
"""
