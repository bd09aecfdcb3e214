"""What the log says of the operator's functions that fail: about what they were asked, and where.

Tested by tests/python/test_s3_policy.py.
"""

from __future__ import annotations

import os

from tercel.s3 import answers
from tercel.s3.answers import Question

__all__ = ["about", "leave_theirs"]

_OWN_FILES = os.path.dirname(os.path.dirname(__file__)) + os.sep
_CHARS_MAX = 128


def about(question: Question) -> str:
    """Returns what a question is about, to stand behind what became of it. No secret is in it."""
    kind = question[0]
    if kind == answers.KEY:
        return f" for the access key {_shown(question[1])}"
    if kind == answers.DECISION:
        (_, _, identity, bucket, _, operation, *_) = question
        return f" for {operation} by {_shown(identity)}, bucket {_shown(bucket)}"
    if kind == answers.CREDENTIALS:
        (_, bucket, identity, rule) = question
        if rule:
            return f" for the buckets {_shown(rule)}"
        return f" for {_shown(identity)}, bucket {_shown(bucket)}"
    if kind == answers.BUCKET:
        return f" for the bucket {_shown(question[1])}"
    return ""


def _shown(text: str) -> str:
    """Returns a text of a client as one that breaks no line and fills no log."""
    return repr(text if len(text) <= _CHARS_MAX else text[:_CHARS_MAX] + "...")


def leave_theirs(error: BaseException) -> None:
    """Has the traceback of an error, and of what it came from, begin in the operator's function.

    One that has frames of tercel only keeps them.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        frame = one.__traceback__
        while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN_FILES):
            frame = frame.tb_next
        if frame is not None:
            one.__traceback__ = frame
        one = one.__cause__ or one.__context__
