"""Every word of the screens about what the learner did and knows, in one place to translate, like `wording`.

They describe; they do not grade. A day without practice is an empty place, never a loss.
"""

from __future__ import annotations

# --- the five screens -------------------------------------------------------------------------------------------
PLACES = {
    "progress": "Progress",
    "calendar": "Calendar",
    "forms": "Forms",
    "search": "Talks",
    "memory": "Memory",
}
COMMANDS_PLACES = {
    "progress": ("Progress", "What you did, and what stays with you"),
    "calendar": ("Calendar", "The days you practised"),
    "forms": ("Forms", "How each one went, with your own sentences"),
    "search": ("Search your talks", "Everything you and the tutor said"),
    "memory": ("What the tutor remembers", "Read, correct or delete it"),
}
KEY_PLACES = "Progress"
KEY_CALENDAR = "Calendar"
KEY_FORMS = "Forms, with your sentences"
KEY_SEARCH = "Search your talks"
KEY_MEMORY = "What the tutor remembers"
KEY_HOME = "Home"
KEY_BACK = "Back"
KEY_SET = "Other set"
KEY_UP = "Back"
KEY_DOWN = "On"
KEY_MONTH_BACK = "Month back"
KEY_MONTH_ON = "Month on"
KEY_TODAY = "Today"
KEY_SESSIONS = "Its talks"
KEY_LIST = "To the list"
KEY_COPY = "Copy"
KEY_DELETE = "Delete"
KEY_FIND = "Find"
LOOKING = "Looking it up…"
CLOSE = "Close"
CANCEL = "Cancel"

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DATE = "{day} {month} {year}"

# --- progress ---------------------------------------------------------------------------------------------------
ALL_SETS = "Everything you practised"
NOTHING_YET = (
    "Nothing here yet. After your first lesson or talk this page shows what you did, which words and forms stay "
    "with you, and how the two of you got on."
)
PERCENT = "{percent} %"
NONE = "–"
TIME = "Time on task"
TIME_VALUE = "{minutes} min"
TIME_NOTE = "in {sessions} sessions, {turns} turns"
ITEMS = "Items right"
ITEMS_NOTE = "{right} of {tried}, with one hint at most"
WORDS = "Words known"
WORDS_NOTE = "of {met} met; you would remember them today"
FORMS = "Forms known"
FORMS_NOTE = "of {met} met; nearly sure to be right"
QUESTIONS = "Questions you asked"
QUESTIONS_NOTE = "and {hints} hints; asking is part of learning"
UPTAKE = "Picked up"
UPTAKE_NOTE = "{taken} of {of} echoes and questions"
REPAIR = "Then used"
REPAIR_NOTE = "{taken} of {of} times, by yourself"
DUE = "Coming back today"
DUE_NOTE = "words and forms; they turn up as you go"
STREAK = "{days} days in a row. A day off changes nothing that you know."
GAIN = "Before and after"
GAIN_NOTE = "{pre} to {post} right (95 %: {low} to {high})"

MINUTES_TITLE = "Minutes a week"
MINUTES_NOTE = "This week {this}; the most was {most}."
RIGHT_TITLE = "Items right a week, in per cent"
RIGHT_NOTE = "· is a week without items."
FORMS_TITLE = "Forms, least sure first"
FORMS_MORE = "Screen 3 has all {count}, with your own sentences."
FORM_HEAD = ("next time", "right")
LESSONS_TITLE = "Lessons"
LESSON_LINE = "{minutes} min  {right}/{of} right"
MOVES_TITLE = "What the tutor did, and what came of it"
MOVE_HEAD = ("times", "picked up", "then used")
ERRORS_TITLE = "What the tutor listened for"
ERRORS_NOTE = "Most often first. The tutor brings these up in the next talks; nothing for you to do."
MOVE_NAMES = {
    "ask": "asked on",
    "check": "checked whether it was clear",
    "affirm": "agreed and went on",
    "recast": "echoed a form",
    "question": "asked to compare",
    "hint": "gave a hint",
    "explore": "let you listen to both",
    "simplify": "said it more simply",
    "culture": "told about the culture",
    "reflect": "looked back",
}

# --- calendar ---------------------------------------------------------------------------------------------------
MONTH_TITLE = "{month} {year}"
MONTH_NOTE = "{minutes} min on {days} days"
MONTH_NOTE_EMPTY = "No practice this month"
DAY_FACTS = "{minutes} min · {turns} · {right} of {of} items right"
DAY_EMPTY = "No practice on this day."
YEAR_TITLE = "Minutes a month"
SESSION_FACTS = "{minutes} min · {turns}"
TURN, TURNS = "1 turn", "{count} turns"
SESSION_DONE = "finished"
FREE_TALK = "Free talk"
CALENDAR_LEGEND = "▁ a few minutes   █ half an hour and more"

# --- forms ------------------------------------------------------------------------------------------------------
NO_FORMS = "Forms appear here once a lesson has practised one."
FORM_FACTS = "{right} of {tried} right · next time {percent} % · last on {date}"
FORM_ECHOES = "Picked up {taken} of {taken_of} times, then used {repaired} of {repaired_of} times."
ATTEMPTS_TITLE = "Every attempt, oldest first"
ATTEMPTS_LEGEND = "Column: how likely the app thought it.\n● right   ◐ partly, or with help   ○ not yet"
ATTEMPTS_GROUPED = "Each column is {count} attempts."
BEFORE = "Your own words at the beginning"
AFTER = "Your own words now"
AFTER_NONE = "What you write from now on will stand here."

# --- talks ------------------------------------------------------------------------------------------------------
SEARCH_PLACEHOLDER = "Search everything you and the tutor said"
SEARCH_LATEST = "Your latest sessions"
SEARCH_NONE = "Nobody said that so far. Part of a word is enough; accents and vowel signs do not matter."
SEARCH_FOUND = "{count} lines"
SEARCH_MANY = "the latest {count} lines"
NO_SESSIONS = "Your lessons and talks will be here, word for word."
YOU = "You"
TUTOR = "Tutor"
COMMANDS = {"hint": "(asked for a hint)", "explain": "(asked why)", "skip": "(went on)", "quit": "(ended it)"}
TRANSCRIPT_EMPTY = "Nothing was said in this session."
UNFINISHED = "(broken off)"
COPIED = "Copied. If it did not arrive, hold Shift and drag over the text."
DELETE_SESSION = "Delete this session?"
DELETE_SESSION_TEXT = (
    "Everything said in it goes, also from the backups on this computer, and the counts of forms with it. "
    "Words you keep stay, without their example from here. It cannot be undone."
)
SESSION_DELETED = "This session is deleted."

# --- memory -----------------------------------------------------------------------------------------------------
MEMORY_PLACEHOLDER = "Find a word or form among all"
MEMORY_EMPTY = "Nothing is remembered yet. Words, echoed forms and grammar forms come here as you practise."
MEMORY_NONE = "Nothing like that is remembered."
MEMORY_SENTENCES = "About you"
MEMORY_WORDS = "Words"
MEMORY_RECASTS = "Forms the tutor echoed"
MEMORY_FORMS = "Grammar forms"
GROUP = "{title} ({count})"
GROUP_SOME = "{title} ({count}; here the latest {shown})"
RESTING = "left alone"
NEVER = "not yet come up"
KNOWN_NOW = "known with {percent} %"
NEXT_ON = "back on {date}"
NEXT_NOW = "back any time"
LAST_ON = "last on {date}"
OPEN_ENTRY = "Enter opens it, to correct or delete it."
WORD_MEANING = "Meaning"
WORD_EXAMPLE = "Example"
MEMORY_TEXT = "What the tutor remembers"
RECAST_FROM = "You wrote"
SAVE = "Keep"
REST = "Leave alone"
WAKE = "Bring back"
DELETE = "Delete"
FORGET = "Begin anew"
DELETE_ENTRY = "Delete “{name}”?"
DELETE_ENTRY_TEXT = (
    "It is gone for good, also from the backups on this computer. If it comes up in a lesson again, the app will "
    "note it again."
)
FORGET_FORM = "Begin anew with “{name}”?"
FORGET_FORM_TEXT = (
    "What the app concluded from your {tried} attempts is deleted for good, also from the backups. What you wrote "
    "stays in your talks."
)
WRITING = "Writing to your file and its backups…"
KEPT = "Kept as you wrote it."
DELETED = "Deleted."

# --- help -------------------------------------------------------------------------------------------------------
HELP_HOME = """\
**P** shows what you did and what stays with you. From there, or from here: **C** calendar, **F** forms,
**/** search in your talks, **M** what the tutor remembers.
"""
HELP_PLACES = """\
Five screens about you: **1** progress, **2** calendar, **3** forms, **4** talks, **5** memory.
Press the number, or click the name at the top. Esc goes home.
"""
HELP_PROGRESS = (
    """\
What you did and what stays with you. Up and Down move the page; **S** shows another lesson set.

Time on task leaves out pauses over five minutes. A word is *known* when you would remember it today with 80 % or more; a form when you would get it right next time
with 85 % or more. A report that you hand in has these very figures.
"""
    + HELP_PLACES
)
HELP_CALENDAR = (
    """\
Arrows move by day and week, Page Up and Page Down by month, **T** is today. The taller the mark, the more minutes.
Enter goes to the sessions of the day, Enter on one of them shows what was said.
"""
    + HELP_PLACES
)
HELP_FORMS = (
    """\
Up and Down choose a form. Beside or below it stand all your attempts, and your own sentences from the
beginning and from now. Tab moves to them when they need scrolling.
"""
    + HELP_PLACES
)
HELP_SEARCH = (
    """\
Write a word to find every line with it, yours and the tutor's. Down goes to the lines, Enter opens the talk there.
Without a word your latest sessions are listed.
"""
    + HELP_PLACES
)
HELP_TRANSCRIPT = """\
What was said, word for word. Up and Down pick a line, **Y** copies it. **D** deletes the whole session for good.
"""
HELP_MEMORY = (
    """\
Everything the app keeps about you to choose what comes next: sentences about you, words, forms. Enter opens one:
correct it, leave it alone, or delete it. What you delete is also taken out of the backups.
"""
    + HELP_PLACES
)
HELP_ENTRY = """\
Change the text and choose *Keep*. *Leave alone* stops it from coming up. *Delete* takes it out for good.
"""
HELP_CONFIRM = """\
Nothing happens before you choose.
"""
