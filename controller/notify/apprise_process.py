"""The process in which apprise runs: one request a line on standard input, one answer a line on standard output.

A process of its own, because apprise's services are a hundred clients by many hands: none of them can hold up
the controller or fill its memory, and what hangs is killed. Run by `Courier`; a person has no use for it.
"""

import contextlib
import json
import logging
import os
import resource
import signal
import sys
from typing import IO, Any, Final

import apprise

from controller.notify.addresses import address_problem
from vedette.shared.limits import APPRISE_MEMORY_BYTES_MAX, APPRISE_SECONDS_MAX

_IDLE_SECONDS_MAX: Final = 600
_ERROR_CHARS_MAX: Final = 500
# Its own deadline, should whoever started it be gone: a little later than theirs.
_ALARM_SECONDS: Final = int(APPRISE_SECONDS_MAX) + 5


def main() -> None:
    """Answer requests until standard input ends."""
    answers = _own_output()
    _bound()
    sys.addaudithook(_refuse_addresses)
    logging.getLogger("apprise").propagate = False
    while True:
        signal.alarm(_IDLE_SECONDS_MAX)
        line = sys.stdin.readline()
        if not line:
            return
        signal.alarm(_ALARM_SECONDS)
        answer = _answer(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _own_output() -> IO[str]:
    """Standard output for answers alone: what a service prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    return answers


def _bound() -> None:
    """Bound what this process may take. Where a system has no such bound, the deadline is the only one."""
    for limit, wanted in (
        (resource.RLIMIT_AS, APPRISE_MEMORY_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            _, most = resource.getrlimit(limit)
            is_lower = most != resource.RLIM_INFINITY and most < wanted
            resource.setrlimit(limit, (most if is_lower else wanted, most))


_refused: list[str] = []


def _refuse_addresses(event: str, arguments: tuple[Any, ...]) -> None:
    """Judge every address that anything here connects to; Python's audit hook for `socket.connect`."""
    if event != "socket.connect":
        return
    where = arguments[1]
    if isinstance(where, tuple) and where and isinstance(where[0], str):
        problem = address_problem(where[0])
        if problem is not None:
            _refused.append(problem)
            raise OSError(problem)


def _answer(request: dict[str, str]) -> dict[str, Any]:
    asset = apprise.AppriseAsset(
        app_id="Vedette",
        app_desc="Vedette",
        http_redirects=False,
        async_mode=False,
        service_timeout=APPRISE_SECONDS_MAX,
    )
    said: list[str] = []
    _refused.clear()
    try:
        service = apprise.Apprise.instantiate(request["url"], asset=asset)
        if service is None:
            return {"ok": False, "error": "apprise does not take this address"}
        service.redirects = False
        sender = apprise.Apprise(asset=asset)
        sender.add(service)
        result = sender.notify(
            body=request["body"],
            title=request["title"],
            notify_type=request["level"],
            body_format=apprise.NotifyFormat.TEXT,
            log_callback=lambda entry, _service: said.append(entry.message),
            log_level=logging.WARNING,
        )
    except Exception as error:  # noqa: BLE001 - a hundred services by many hands; each failure is one answer
        return {"ok": False, "error": f"{type(error).__name__}: {error}"[:_ERROR_CHARS_MAX]}
    if result:
        return {"ok": True, "error": ""}
    why = [*_refused, *said] or ["it did not say why"]
    return {"ok": False, "error": why[0].rstrip(".")[:_ERROR_CHARS_MAX]}


if __name__ == "__main__":
    main()
