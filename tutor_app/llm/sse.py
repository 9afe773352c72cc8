"""One HTTP request whose answer is a stream of server-sent events."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tutor_app.llm.protocol import EngineDied, EngineError, EngineHung

DATA = b"data:"
END = b"[DONE]"
SHUT = (OSError, http.client.HTTPException, ValueError, AttributeError)
"""A connection that is lost. The last two: http.client's own state when the socket is shut from another thread."""


class Call:
    """Sent by `open`. `abort`, from any thread and also before that, ends it and with it the server's work."""

    def __init__(
        self, base_url: str, path: str, body: dict[str, Any] | None, *, key: str | None, timeout_s: float
    ) -> None:
        url = urllib.parse.urlsplit(base_url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=timeout_s)
        self._aborted = threading.Event()
        self._socket: socket.socket | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._where = f"{url.hostname}:{url.port}" if url.port else url.hostname
        self._path = url.path.rstrip("/") + path
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._data = None if body is None else json.dumps(body).encode()

    def open(self) -> bool:
        """Send the request and wait until the answer begins; False when it was aborted. Raises EngineError."""
        try:
            self._connection.connect()
            self._socket = (
                self._connection.sock
            )  # kept: getresponse lets go of it when the answer has no length
            if not self.aborted:  # looked at after the socket is there, which `abort` shuts after it is set
                method = "GET" if self._data is None else "POST"
                self._connection.request(method, self._path, self._data, self._headers)
                self._answer = self._connection.getresponse()
        except SHUT as error:
            self._connection.close()
            if not self.aborted:
                raise self._lost(error) from error
        return not self.aborted

    @property
    def aborted(self) -> bool:
        """True after `abort`."""
        return self._aborted.is_set()

    @property
    def status(self) -> int:
        """The answer's HTTP status."""
        assert self._answer is not None
        return self._answer.status

    def json(self) -> Any:
        """The whole answer, parsed. Raises EngineError."""
        assert self._answer is not None
        try:
            data = self._answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        finally:
            self._connection.close()
        return self._parsed(data)

    def events(self) -> Iterator[dict[str, Any]]:
        """The events as they come; ends quietly when aborted. Raises EngineError."""
        assert self._answer is not None
        try:
            for line in self._answer:
                data = line.strip()
                if data == DATA + b" " + END or data == DATA + END:
                    return
                if data.startswith(DATA):
                    yield self._parsed(data[len(DATA) :])
        except SHUT as error:
            if not self.aborted:
                raise self._lost(error) from error
        finally:
            self._connection.close()

    def abort(self) -> None:
        """Stop reading now."""
        self._aborted.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Drop the connection, which tells the server to stop."""
        self._connection.close()

    def _parsed(self, data: bytes) -> Any:
        try:
            parsed = json.loads(data)
        except ValueError as error:
            raise EngineError(
                f"The model server {self._where} answered with something else than JSON."
            ) from error
        if isinstance(parsed, dict) and (problem := parsed.get("error")):
            text = problem.get("message") if isinstance(problem, dict) else problem
            raise EngineError(f"The model server {self._where} refused: {str(text)[:200]}")
        return parsed

    def _lost(self, error: Exception) -> EngineError:
        if isinstance(error, TimeoutError):
            return EngineHung(f"The model server {self._where} did not answer in time. Try again.")
        return EngineDied(
            f"The model server {self._where} cannot be reached. Ask whoever runs it.", exit_code=None
        )
