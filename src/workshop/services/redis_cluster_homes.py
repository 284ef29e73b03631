"""What each node of our Redis Cluster is told before it starts, in a directory of its own."""

from __future__ import annotations

import secrets
from pathlib import Path

from . import processes

HOME = {"A": (0, 5460), "B": (5461, 10922), "C": (10923, 16383)}  # each master's slots at first
NAMES = [*HOME, *(name.lower() for name in HOME)]
AT_FIRST = [(*slots, name) for name, slots in HOME.items()]
CALM = 15_000  # ms without a word until a node is taken for dead; a busy machine is not dead
SETTINGS = f"""bind 127.0.0.1
save ""
appendonly no
cluster-enabled yes
cluster-allow-replica-migration no
cluster-replica-validity-factor 0
cluster-node-timeout {CALM}
repl-diskless-sync-delay 0
"""


def make_home(name: str, ports: dict[str, tuple[int, int]], secret: str) -> Path:
    """Make the directory of a node, with its settings and what it knows of the others at first."""
    home = processes.private_directory() / f"redis-cluster-{secrets.token_hex(3)}"
    home.mkdir()
    lines = [f"port {ports[name][0]}", f"cluster-port {ports[name][1]}", f'dir "{home}"']
    lines += [f"requirepass {secret}", f"masterauth {secret}"]
    (home / "redis.conf").write_text("\n".join([SETTINGS, *lines, ""]))
    (home / "redis.conf").chmod(0o600)
    (home / "first.conf").write_text(_who_is_who(name, ports))
    return home


def _who_is_who(myself: str, ports: dict[str, tuple[int, int]]) -> str:
    """What a node would have written down, had they met before: so they need not be introduced."""
    ids = {name: f"{ord(name):040x}" for name in NAMES}
    lines = []
    for epoch, (name, (port, bus)) in enumerate(ports.items(), 1):
        flags = ["myself"] if name == myself else []
        flags += ["master" if name in HOME else "slave"]
        of = "-" if name in HOME else ids[name.upper()]
        slots = " {}-{}".format(*HOME[name]) if name in HOME else ""
        place = f"127.0.0.1:{port}@{bus}"
        lines.append(f"{ids[name]} {place} {','.join(flags)} {of} 0 0 {epoch} connected{slots}")
    return "\n".join([*lines, f"vars currentEpoch {len(NAMES)} lastVoteEpoch 0", ""])
