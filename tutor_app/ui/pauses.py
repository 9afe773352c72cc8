"""When the garbage collector looks at everything: while the learner reads, not while they type.

A full round takes 45 to 55 ms with a lesson on the screen, nearly all of it over things that stay. Python starts
one whenever enough is new, so a key that was pressed then waited for it. Between the turns everything is looked
at once and set aside (`gc.freeze`), and the rounds that Python starts find little to do.
"""

from __future__ import annotations

import gc


def tidy_up() -> None:
    """Collect now, and leave what is still in use out of later rounds. For a moment when nobody types."""
    gc.collect()
    gc.freeze()


def let_go() -> None:
    """Look at everything again: what was set aside may be over, such as a lesson that was left."""
    gc.unfreeze()
