"""What llama.cpp may do with the weights of a model on a processor with AMX."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whether a processor has AMX"),
]

LEFT_OUT = """
import json
from tutor_app.llm import amx
before = amx._kinds()[0]
said = [amx._leave_out_amx(), amx._leave_out_amx()]
print(json.dumps([[name.decode() for name in names] for names in (before, amx._kinds()[0])] + [said]))
"""


def test_amx_is_taken_off_the_list_and_nothing_else() -> None:
    # In a process of its own: the list is the library's, for as long as it is loaded.
    done = subprocess.run([sys.executable, "-c", LEFT_OUT], capture_output=True, text=True, check=True)
    before, after, said = json.loads(done.stdout)
    assert said == [True, True]
    assert after == [name for name in before if name != "AMX"]
    assert "CPU_REPACK" in after
