"""Every word of the app that does not come from a lesson, a learner or the tutor, in one place to translate.

Warm, short, never punishing: nothing here says that somebody was wrong. Texts with `{…}` go through `format`.
"""

from __future__ import annotations

APP = "Linguist"

# --- keys ---------------------------------------------------------------------------------------------------
KEY_UP = "Back"
KEY_DOWN = "On"
KEY_COPY = "Copy"
KEY_KEEP = "Keep a word"
KEY_SEND = "Send"
KEY_NEW_LINE = "New line"
KEY_VARY = "Accent"
KEY_INSERT = "Insert"
KEY_BACK = "Back"
KEY_PICK = "Pick"
KEY_TAKE_BACK = "Take back"
KEY_HELP = "Help"
KEY_HINT = "Hint"
KEY_EXPLAIN = "Why"
KEY_SKIP = "Skip"
KEY_MEANING = "Meaning"
KEY_LETTERS = "Letters"
KEY_WORDS = "Words"
KEY_STOP = "Stop"
KEY_SETTINGS = "Settings"
KEY_LEARNERS = "Learners"
KEY_TALK = "Talk"
KEY_QUIT = "Quit"
KEY_NEW = "New learner"
KEY_HOME = "Home"

# --- speakers and steps -------------------------------------------------------------------------------------
SPEAKERS = {"tutor": "Tutor", "learner": "You", "step": "", "note": "", "problem": "Note", "why": "Why"}
STEP_KINDS = {
    "talk": "Talk",
    "choice": "Choose",
    "cloze": "Fill the gap",
    "order": "Put in order",
    "match": "Match",
    "translate": "Translate",
    "conjugate": "Find the form",
    "dictation": "Dictation",
    "listen": "Listen",
    "read": "Read",
    "write": "Write",
    "speak": "Say it",
    "reflect": "Think back",
}
GOAL = "Aim"
HINTS = "Hints"
WORDS = "Words of this lesson"
ORDER_EMPTY = "Your sentence appears here."
ORDER_SEND = "Enter sends it."
MATCH_HINT = "A number, then a letter."

# --- the tutor's state --------------------------------------------------------------------------------------
MODEL_STATES = {
    "none": "lesson's own words",
    "loading": "tutor is waking up",
    "warming": "reading the lesson",
    "ready": "tutor ready",
    "lost": "tutor is coming back",
}
MEMORY = "memory"
MINUTES = "{minutes} min"

# --- lesson -------------------------------------------------------------------------------------------------
LESSON_OPENING = "Opening the lesson…"
TALK_TITLE = "Free talk"
THINKING = "…"
WAITING_START = "waiting for the tutor · Esc takes it back"
WAITING_MODEL = "The tutor is still waking up. Your words are kept. Esc goes on without waiting."
STILL_WRITING = "The tutor is still writing. Esc stops it."
STOPPED = "(stopped)"
STEP_LINE = "{number}/{of} · {kind}"
COMPOSER_TALK = "Write here. Enter sends."
COMPOSER_ITEM = "Your answer. Enter sends, F2 gives a hint."
COMPOSER_PAD = "Pick on the panel, or write here."
COMPOSER_BUSY = "The tutor is writing. You can already type."
COMPOSER_OPENING = "You can already type."
UNDERSTOOD = "✓"
NEAR_MISSES = {
    "accent": "✓ understood · look once more at the accents",
    "typo": "✓ understood · one letter is different",
    "case": "✓ understood · one capital letter is different",
}
DIALECT = "✓ as people say it in {name}"
ANSWERS = "One can say: {answers}   F3 tells why"
ANSWERS_ALSO = "One can also say: {answers}   F3 tells why"
RESUMED = "Welcome back. Here is where you were."
HEARD = "Heard: {text}"
OFFER = "Use {model} instead"
OFFER_TAKEN = "Changing to {model}. You can go on writing."
COPIED = "Copied. If it did not arrive, hold Shift and drag over the text."
KEPT = "Kept “{word}” for your reviews."
NOTHING_TO_COPY = "There is nothing to copy yet."
SAVING = "Saving…"
SESSION_OVER = "This lesson cannot go on. Everything you wrote is saved. Esc goes home."
SESSION_BROKE = "Something in the lesson broke. Everything you wrote is saved. Esc goes home; opening the lesson again continues it."

LEAVE_TITLE = "Pause here?"
LEAVE_TEXT = "Everything is saved. You can go on from this very place another time."
LEAVE_TALK_TITLE = "Enough for now?"
LEAVE_TALK_TEXT = "Everything is saved. You will see what you did in this talk."
LEAVE_YES = "Go home"
LEAVE_NO = "Stay"

KEEP_TITLE = "Keep a word"
KEEP_TEXT = "It will come back in your reviews. Pick one, or write it."
KEEP_PLACEHOLDER = "Word or phrase"
KEEP_YES = "Keep"
CANCEL = "Cancel"

# --- learners -----------------------------------------------------------------------------------------------
WELCOME = "A patient tutor, on this computer only."
OPENING = "One moment…"
WHO = "Who is learning?"
NEW_LEARNER = "Somebody new"
NEW_TITLE = "Nice to meet you"
NAME = "What should the tutor call you?"
NAME_PLACEHOLDER = "Your name"
LANGUAGE = "Which language brings you here?"
TRACKS = {
    "l2": "I am learning it, mostly from English",
    "heritage": "I grew up hearing it, at home or with family",
}
LANGUAGES = {"es": "Spanish", "zh": "Chinese", "ar": "Arabic", "fr": "French"}
BEGIN = "Begin"
NAME_MISSING = "Please write a name first. Any name will do."
PRIVATE = "What you write stays on this computer."

# --- home ---------------------------------------------------------------------------------------------------
GREETINGS = {"es": "¡Hola, {name}!", "zh": "你好，{name}！", "ar": "مرحبا {name}", "fr": "Bonjour {name} !"}
GREETING = "Hello, {name}!"
HOME_LOADING = "Looking for your lessons…"
NO_LESSONS = "No lessons are installed yet. In a terminal: tutor lessons install FILE"
CONTINUE = "Continue: {title}"
BEGIN_WITH = "Begin: {title}"
FREE_TALK = "Talk freely in {language}"
FREE_TALK_HELP = (
    "No exercises: you choose what to talk about. The tutor keeps it going and echoes forms worth noticing."
)
DUE_ONE = "1 word or form is ready to come back; it will turn up as you go."
DUE_MANY = "{count} words and forms are ready to come back; they will turn up as you go."
DUE_NONE = "Nothing is waiting for you. Go where you like."
LESSON_FACTS = "{level} · {minutes} min"
PROGRESS = "{seen} of {total}"
DONE = "done"
CAN_DO = "After this you can"
BETTER_AFTER = "Easier after: {titles}. You can open it all the same."
IN_IT = "Some of its words"
OPEN_IT = "Enter opens it."

# --- summary ------------------------------------------------------------------------------------------------
SUMMARY_TITLE = "What you did"
SUMMARY_FINISHED = "That is the whole lesson. Well done for staying with it."
SUMMARY_PAUSED = "A good place to pause. You can go on from here."
SUMMARY_TALK = "Thank you for the talk. You can begin another one whenever you like."
SUMMARY_REVIEW = "That is the whole review. Well done for coming back to it."
SUMMARY_TIME = "{minutes} min of {language}"
SUMMARY_ITEMS = "{correct} of {seen} answered"
SUMMARY_FORMS = "Forms you used"
SUMMARY_WORDS = "Words you met"
SUMMARY_UPTAKE = "You picked up {taken} of {of} things the tutor echoed."
SUMMARY_REPAIR = "{taken} of {of} times you then used the form yourself."
SUMMARY_DUE = "{count} to meet again later."
SUMMARY_NEXT = "Next: {title}"
SUMMARY_HOME = "Home"

# --- settings and help --------------------------------------------------------------------------------------
SETTINGS_TITLE = "Settings"
SETTINGS_MODEL = "Language model"
SETTINGS_MODEL_HELP = "A larger one writes better and needs more memory and time."
SETTINGS_SAVED = "Everything is kept as you choose it."
SETTINGS_NO_MODELS = "None found. In a terminal: tutor models list"
MODEL_ABSENT = "not on this computer"
MODEL_ACTIVE = "in use"
HELP_TITLE = "Help"
HELP_KEYS = "Keys here"
CLOSE = "Close"

CRASHED = "Linguist had to close because of a fault of its own. Everything you sent to the tutor is saved."
CRASHED_LOGGED = CRASHED + " Where it happened is noted, without any of your words, in {path}."

COMMANDS = {
    "settings": ("Settings", "Model, theme, language help, text in the panels"),
    "home": ("Home", "Back to your lessons; everything is saved"),
    "help": ("Help", "What can be done on this screen"),
    "learners": ("Change learner", "Somebody else at this computer"),
    "quit": ("Quit", "Save and close"),
    "hint": ("Hint", "One step up the ladder of hints"),
    "explain": ("Explain", "The pattern behind what is done"),
    "skip": ("Skip", "Leave this one for another time"),
    "letters": ("Letters", "Accents and letters your keyboard lacks"),
    "meaning": ("Meaning", "Show or hide the meaning in English"),
    "words": ("Words", "Show or hide the words of this lesson"),
    "copy": ("Copy the tutor's last line", "To the clipboard"),
    "keep": ("Keep a word", "From the tutor's last line into your reviews"),
    "theme": ("Theme: {name}", "Change how the app looks"),
}

HELP_CONVERSATION = """\
**The talk.** Up and Down pick a line, Y copies it, S keeps a word of it for your reviews.
A form between «marks» is one the tutor would like you to notice.
"""
HELP_COMPOSER = """\
**Writing.** Enter sends. Alt+Enter or Ctrl+J begins a new line. Up brings back what you sent.
Ctrl+S after a letter gives its accents one after the other: e, é, è …
Backspace takes one mark at a time, so a vowelled Arabic letter goes in steps.
"""
HELP_LETTERS = """\
**Letters.** Arrows and Enter, the mouse, or the key beside a letter; the same key again gives the next one.
Esc closes them.
"""
HELP_CHOICES = """\
**Choices.** Press the number, or use the arrows and Enter.
"""
HELP_ORDER = """\
**Order.** Press the key of each piece in turn. Backspace takes the last one back. Enter sends the whole.
"""
HELP_MATCH = """\
**Match.** Press a number, then the letter that goes with it. Backspace takes the last pair back.
Enter sends all pairs.
"""
HELP_STEP = """\
**The step.** What there is to do now. Numbers answer a choice, even from the empty writing box.
"""
HELP_LESSON = """\
The tutor leads; you answer in your own words. Nothing you write is ever marked wrong.

- **Lost?** Write so, in any language, or press **F2** for a hint. There are four, each says a little more.
- **Done with an item?** **F3** explains the pattern behind it.
- **Not today?** **F5** skips. It comes back another time.
- **Esc** stops the tutor, or pauses the lesson. Everything is saved as you go.
- **Tab** moves between talk, step and writing box.
"""
HELP_HOME = """\
Arrows choose, Enter opens. ✓ is done, ◐ begun, ○ new. Nothing is locked: *easier after* is advice.
"""
HELP_WELCOME = """\
Each learner has a file of their own on this computer. Choose yours, or begin a new one.
"""
HELP_NEW = """\
Your answers choose where to begin. All of them can be changed later.
If you grew up with the language, the tutor welcomes your family's way of speaking, and mixing.
"""
HELP_SUMMARY = """\
What you did this time. Forms show how often you used them well. Enter goes on.
"""
HELP_SETTINGS = """\
Up and Down or Tab choose a setting, Enter opens it. Each choice is kept at once.
"""
