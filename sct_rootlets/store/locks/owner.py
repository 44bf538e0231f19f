"""Which process owns a claim, and whether it is known to be dead."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Owner", "host", "host_word", "parse_owner", "process_state", "read_owner"]


@dataclass(frozen=True)
class Owner:
    """What a claim says.

    Attributes
    ----------
    token : str
        Unique to this one claim.
    host : str
        Machine, its boot and its process namespace: where `pid` means something.
    pid : int
    started : str
        When the process started, as the system counts it; "" where that is not known.
    """

    token: str
    host: str
    pid: int
    started: str

    def is_dead(self) -> bool:
        """Return whether the owner is known to be dead; False where this cannot be told."""
        if self.host != host():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # a process of another user
            pass
        state, started = process_state(self.pid)
        # A number is given again to another process; a zombie has only not been buried yet.
        return state in ("Z", "X") or (bool(self.started) and started not in ("", self.started))


def read_owner(path: Path) -> Owner | None:
    """Return what a claim says, or None where there is none."""
    try:
        return parse_owner(path.read_bytes())
    except OSError:
        return None


def parse_owner(content: bytes) -> Owner:
    """Read a claim; one that a full disk or a crash of the machine left empty has no owner."""
    try:
        owner = Owner(**json.loads(content))
    except (ValueError, TypeError):
        return Owner("", "", 0, "")
    return owner if isinstance(owner.pid, int) else Owner("", "", 0, "")


def host() -> str:
    """Name what a process number is unique in: this machine since its start, in this container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def host_word() -> str:
    """Return :func:`host` in eight hex digits, for the name of a file."""
    return hashlib.sha256(host().encode()).hexdigest()[:8]


def process_state(pid: int) -> tuple[str, str]:
    """Return state and start of a process as Linux tells them, or two empty texts."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", ""
    fields = text.rpartition(")")[2].split()  # a program's name may hold spaces
    return fields[0], fields[19]
