"""Words of the screens about speaking. Texts with `{…}` go through `format`."""

from __future__ import annotations

KEY_SPEAK = "Speak"
OPENING = "Opening the microphone…"
LISTENING = "Listening"
LISTENING_KEYS = "F4 or Enter when you are done · Esc throws it away"
READING = "Reading what you said…"
HEARD = "This is what I heard. Change what is not right, then Enter."
HEARD_UNSURE = "I am not sure that I heard you well. Change what is not right, then Enter."
NOTHING_KEPT = "Thrown away. Nothing of it was kept."
BROKE = "Something in the recording broke. Type the answer instead."
NOT_INSTALLED = 'Speaking is not installed here. In a terminal: pip install "linguist-tutor[speech]"'

SETTINGS_LABEL = "Microphone"
SETTINGS_BUTTON = "Choose and try the microphone"
SETTINGS_HELP = "Speaking is always a choice: everything can be typed."
SCREEN_TITLE = "Microphone"
DEVICES = "Which microphone"
DEVICE_DEFAULT = "Whatever the system uses"
DEVICES_NONE = "No microphone was found. Plug one in and come back here."
TRY = "Try it"
TRY_HELP = "Press F4, say a sentence, and be quiet for two seconds. The bar should move while you speak."
TRY_WORDS = "Heard: {text}"
KEEP = "Recordings"
KEEP_VALUES = (("no", "Deleted as soon as they are read"), ("yes", "Kept in my folder on this computer"))
KEEP_HELP = "Kept recordings are deleted with your other data. They are never sent anywhere."
HELP_SCREEN = """\
Choose a microphone and try it. **F4** starts and stops; it also stops by itself after two seconds of silence.

If the bar does not move: check the mute switch, choose another microphone, and allow the terminal to use it in the
privacy settings of your system.
"""
