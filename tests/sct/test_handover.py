"""Signals on the way to our command; what else is handed over is in test_hook.py."""

from __future__ import annotations

import signal

import pytest

from sct_rootlets.sct.handover import _PassingOn


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ([signal.SIGTERM], [signal.SIGTERM]),
        ([signal.SIGINT], []),  # a terminal sends it to our command as well
        ([signal.SIGINT] * 3, [signal.SIGINT] * 2),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_signals_before_and_after_our_command_starts(sent, passed_on, early) -> None:
    received = []

    class Process:
        send_signal = received.append

    with _PassingOn() as signals:
        if not early:
            signals.pass_on_to(Process)
        for number in sent:
            signal.raise_signal(number)
        if early:
            assert received == []
            signals.pass_on_to(Process)
    assert received == passed_on


def test_handlers_are_put_back_and_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        handler = signal.getsignal(signal.SIGTERM)
        with _PassingOn():
            assert signal.getsignal(signal.SIGTERM) is not handler
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGHUP, before)
