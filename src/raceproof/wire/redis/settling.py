"""What is put right after requests: times that the real clock wrote, and what they published."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from raceproof.wire.redis.channels import Channels
from raceproof.wire.redis.commands import Args, publishes
from raceproof.wire.redis.keyspace import Keyspace
from raceproof.wire.redis.translation import Translation


def settle(
    translation: Translation,
    keys: Keyspace,
    channels: Channels,
    requests: Sequence[Args],
    replies: Sequence[Any],
    *,
    alone: bool,
) -> None:
    """Put right what requests left, and put in line what they published."""
    keys.fields_expire |= translation.adopt(requests, keys)
    told = [reply for args, reply in zip_longest(requests, replies) if publishes(args)]
    scripts = any(map(translation.script_publishes, requests))
    channels.published(told, by_script=scripts, alone=alone)
