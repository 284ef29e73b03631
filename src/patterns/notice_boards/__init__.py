"""Notice boards: the last thing posted, for those who come late and those who wait.

    NoticeBoard         post, read, watch, with versions that the server gives
    AsyncNoticeBoard    the same for asyncio
    web                 a page fed by long polling (its own extra: it needs a web framework)

The idea is from David Wolever, "Common messaging patterns implemented with Redis" (2016).
"""

from .async_notice_board import AsyncNoticeBoard
from .notice_board import NoticeBoard
from .notices import KeyAlreadyUsed, MalformedNotice, Notice, ValueTooLong

__all__ = [
    "AsyncNoticeBoard",
    "KeyAlreadyUsed",
    "MalformedNotice",
    "Notice",
    "NoticeBoard",
    "ValueTooLong",
]
