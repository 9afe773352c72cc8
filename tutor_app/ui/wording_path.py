"""Words about where a learner begins, how much comes back, who may open a file, and what is handed in.

Part of `wording`, kept apart for its length; the same rules hold.
"""

from __future__ import annotations

from tutor_app.session.overview import REVIEW_NAME

# --- background ---------------------------------------------------------------------------------------------
BACKGROUND_TITLE = "You and {language}"
BACKGROUND_INTRO = "Four short questions, so that the tutor meets you where you are. Leave out what you like."
SUGGESTED = "What this suggests"
TRACK_CHOICE = "Your path (it is your choice)"
FIND_LEVEL = "Find where to begin (6–10 min)"
BEGIN_FIRST = "Begin at the beginning"
KEEP_IT = "Keep this"
HELP_BACKGROUND = """\
Arrows and Space pick an answer, Tab goes on. Nothing has to be answered. At the beginning **Esc** leaves the rest
out. The path below follows your answers until you choose it yourself. It can be changed in the settings (F10) at any
time.
"""

# --- placement ----------------------------------------------------------------------------------------------
PLACEMENT_TITLE = "Where to begin"
PLACEMENT_INTRO = (
    "Short tasks, some easy and some hard: nobody knows them all. Nothing is marked. "
    "F5 when you don't know; Esc ends it, with whatever it has shown so far."
)
COMPOSER_PLACEMENT = "Your answer. Enter sends, F5 when you don't know."
PLACEMENT_END = "Enough"
PLACEMENT_THANKS = "Thank you. The next one:"
PLACED_TITLE = "A good place to begin"
PLACED_LEVEL = "Begin at (it is your choice)"
PLACED_FIRST = "The first lesson there: {title}"
PLACED_BEGIN = "Go to the lessons"
PLACEMENT_NONE = "There is no lesson set for this language and path yet, so there is nothing to find out."
HELP_PLACEMENT = """\
Answer as well as you can, without looking things up. **F5** says that you don't know, which helps as much.
**Esc** ends it at any moment. It takes six to ten minutes, and every lesson is open to you whatever it says.
"""
HELP_PLACED = """\
Arrows and Space choose another level, Enter on the button goes to the lessons.
"""
LEVEL_NAMES = {
    "A1": "A1: first words and sentences",
    "A2": "A2: everyday life",
    "B1": "B1: telling and explaining",
}

# --- reviews ------------------------------------------------------------------------------------------------
REVIEW_ONE = "Review: 1 thing to meet again"
REVIEW_MANY = "Review: {count} things to meet again"
REVIEW_TITLE = REVIEW_NAME
REVIEW_ABOUT = (
    "Words and forms whose time has come, from lessons you began and words you kept. Five minutes or so. "
    "They also open your next lesson and turn up in free talk, so you need not do them here."
)
REVIEW_AGAIN = "from before"
BACKLOG = "More is resting for another day. It is not counted, and nothing is late."
LEARNT = "learnt"
CHECK = "check"
COMPOSER_CHECK = "Your answer. Enter sends, F5 goes on when you don't know."
CHECK_ABOUT = "Each task once, without hints. Nothing is marked; it shows you, and your class if you share it, how far you come."
LEVEL_REACHED = (
    "You have learnt all of {before}. From here on, talk and advice go by {level}. Every lesson stays open."
)

SUMMARY_CHECK_PRE = "{right} of {of} known before you begin. The same kind of tasks come at the end."

# --- settings -----------------------------------------------------------------------------------------------
DAILY = "Reviews a day"
DAILY_HELP = "The most that comes back in a day; {count} is about {minutes} min. What is over rests and is not counted."
DAILY_VALUE = "{count} a day"
DAILY_OFF = "none"
YOUR_PATH = "You"
START_LEVEL = "Where you begin"
START_LEVEL_HELP = "In {title}. It decides which lesson is offered first; every lesson is open."
START_UNSET = "At the first lesson"
DO_BACKGROUND = "Your background and path…"
DO_PLACEMENT = "Find where to begin…"
DO_PIN = "Set a PIN…"
DO_PIN_CHANGE = "Change or remove the PIN…"
DO_HAND_IN = "Hand in to your instructor…"
YOUR_PATH_HELP = "A PIN is for accounts that several people share."

# --- PIN ----------------------------------------------------------------------------------------------------
PIN_ASK = "{name}'s PIN"
PIN_ASK_TEXT = "This learner is opened with a PIN."
PIN_PLACEHOLDER = "PIN"
PIN_OPEN = "Open"
PIN_TITLE = "A PIN for {name}"
PIN_HONEST = (
    "It keeps somebody who shares this account from opening your lessons by mistake. It does not encrypt anything: "
    "whoever can read this account's files can read yours without it. What really keeps people apart is an account "
    "of the computer for each. A forgotten PIN is lifted with `tutor progress export` and "
    "`tutor progress import --without-pin`."
)
PIN_OLD = "PIN so far"
PIN_NEW = "New PIN, four characters or more"
PIN_AGAIN = "The same once more"
PIN_KEEP = "Keep"
PIN_REMOVE = "Remove it"
PIN_DIFFER = "The two are not the same. Write them once more."
PIN_SET = "Kept. You are asked for it from the next start on."
PIN_GONE = "The PIN is gone."
HELP_PIN = PIN_HONEST

# --- hand-in ------------------------------------------------------------------------------------------------
HAND_IN_TITLE = "Hand in"
HAND_IN_INTRO = (
    "One file for your instructor. You choose what is in it, and nothing leaves until you give it away."
)
HAND_IN_SETS = "Of which lessons?"
HAND_IN_SHARE = "How much do you agree to share?"
HAND_IN_NEVER = "Never in it: your PIN and settings, drafts, and what the tutor remembers about you."
HAND_IN_NAME = "The name to appear under"
HAND_IN_KEY = (
    "Your instructor's key file, if you were given one (seals the hand-in so that only they can read it)"
)
HAND_IN_KEY_PLACEHOLDER = "Leave empty for none"
HAND_IN_FILE = "Where to write it"
HAND_IN_AGREE = "I agree: write the file"
HAND_IN_NOTHING = "There is nothing to hand in yet: practise a lesson first."
HAND_IN_NO_SET = "Choose at least one set of lessons."
HAND_IN_DONE_OPEN = "{file} is written and signed. It is not sealed: whoever gets it can read it."
HAND_IN_DONE_SEALED = "{file} is written, signed and sealed: only your instructor can open it."
SHARES = {"results": "How it went", "answers": "… and my answers", "all": "Everything I said"}
HELP_HAND_IN = """\
Space picks, Tab goes on. The file is signed with a key of your own, so that it cannot be changed on the way.
Give it to your instructor as you give in any homework. Nothing is sent from here.
"""

KEY_REVIEW = "Review"
KEY_HAND_IN = "Hand in"
KEY_LESS = "Less"
KEY_MORE = "More"
KEY_DONT_KNOW = "Don't know"
KEY_LEAVE_OUT = "Leave out"

COMMANDS = {
    "review": ("Review", "Meet again what is due"),
    "placement": ("Find where to begin", "Six to ten minutes of short tasks; nothing is marked"),
    "background": ("Background and path", "Four questions about you and the language"),
    "pin": ("PIN", "Set, change or remove it"),
    "hand_in": ("Hand in", "One file for your instructor; you choose what is in it"),
}
