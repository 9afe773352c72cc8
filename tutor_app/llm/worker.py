"""The child process that runs the model: `python -m tutor_app.llm.worker`.

It reads requests and writes events, one JSON object a line. The real standard output is kept for events and
everything else that prints, native code included, is sent to standard error. The end of standard input ends
the process at once, whatever it does, so that a tutor that dies leaves no model in memory. (Linux's
parent-death signal is not used: it fires when the *thread* that started the child ends.)
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import Any

from tutor_app.llm.lines import Line, end_on_error, protect_stdout

PROTOCOL_VERSION = 1


def main() -> None:
    """Serve requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which shares our terminal
    line = Line(protect_stdout())
    # After the descriptors are safe: these load the native library.
    from tutor_app.llm.operations import Operations
    from tutor_app.llm.runtime import DecodeFailed, Refused, StopFlag

    stop = StopFlag()
    operations = Operations(line, stop)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    reader = threading.Thread(target=read_requests, args=(line, operations, requests), daemon=True)
    reader.start()
    line.send(0, "ready", protocol=PROTOCOL_VERSION, build=operations.build, pid=os.getpid())
    while True:
        request = requests.get()
        try:
            operations.run(request)
        except Refused as error:
            line.send(request["id"], "error", kind="refused", message=str(error))
        except DecodeFailed as error:
            line.send(request["id"], "error", kind="failed", message=str(error))


def read_requests(line: Line, operations: Any, requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hand requests to the main thread; answer at once what must not wait for it."""
    for data in sys.stdin.buffer:
        request = json.loads(data)
        match request["op"]:
            case "cancel":
                operations.cancel(request["target"])
            case "tokenize":
                line.send(
                    request["id"], "tokens", ids=operations.tokenize(request["text"], request["special"])
                )
            case _:
                requests.put(request)
    os._exit(0)


if __name__ == "__main__":
    sys.excepthook = end_on_error
    threading.excepthook = lambda failure: end_on_error(
        failure.exc_type, failure.exc_value or RuntimeError(), failure.exc_traceback
    )
    main()
