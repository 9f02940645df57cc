"""All kinds of faults, by the word that stands for them in text and is the name of their constructor."""

from __future__ import annotations

from .answers import Empty, Latency, MalformedJson, RateLimit, Reset, Stall, Status, Truncate, WrongType
from .base import Fault
from .bodies import ResetUpload, SlowUpload, StallUpload
from .notifications import BadSignature, CallbackLate, Early, Never, OutOfOrder, Twice

status = Status
rate_limit = RateLimit
latency = Latency
reset = Reset
truncate = Truncate
stall = Stall
malformed_json = MalformedJson
wrong_type = WrongType
empty = Empty
slow_upload = SlowUpload
stall_upload = StallUpload
reset_upload = ResetUpload
callback_late = CallbackLate
twice = Twice
early = Early
never = Never
bad_signature = BadSignature
out_of_order = OutOfOrder

KINDS: dict[str, type[Fault]] = {
    each.kind: each
    for each in (
        *(Status, RateLimit, Latency, Reset, Truncate, Stall, MalformedJson, WrongType, Empty),
        *(SlowUpload, StallUpload, ResetUpload),
        *(CallbackLate, Twice, Early, Never, BadSignature, OutOfOrder),
    )
}
"""All kinds by the word that stands for them in text, which is also the name of their constructor."""
