"""What is done for a learner's file now and then, when nobody waits: a backup a day, a fit a month."""

from __future__ import annotations

from tutor_app.progress.refit import refit
from tutor_app.progress.reviews import DAY_S
from tutor_app.progress.store import Store

FIT_EVERY_S = 30 * DAY_S
_FITTED = "fsrs_fitted_at"


def maintain(store: Store, now: float) -> None:
    """Call after a session or when the app is idle; a second or two at most, usually nothing.

    Raises StoreDamaged when the daily reading finds damage (the next start recovers), DiskFull, DiskTrouble.
    """
    if store.read_only:
        return
    store.back_up_if_due(now)
    last = store.settings().get(_FITTED)
    if last is None or abs(now - float(last)) >= FIT_EVERY_S:
        refit(store)
        store.set_setting(_FITTED, now)
