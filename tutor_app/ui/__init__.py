"""The app: the only package that imports Textual.

Setting a variable before Textual is first imported is this file's one job: with the kitty protocol's "report
all keys", Chinese input methods lose their text in iTerm2 and dead keys fail elsewhere (Textual 8.2.7+).
"""

import os

os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
