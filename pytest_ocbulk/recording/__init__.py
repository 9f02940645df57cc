"""Recordings: exchanges with a real service, redacted, that can be played against the fake.

    ocbulk record --upstream https://.../elements/api-v2 --to recordings/import
    ocbulk replay recordings/import

Modules: exchange (one exchange, and how it is written down), redaction (what must not be written down), recorder (the
proxy in between), courses (what the jobs of a recording did), replaying (the same requests to a fake) and comparing
(what it answered otherwise). In a test a recorded job's course is one line:

    ocbulk.next_job(recorded_jobs("recordings/import")[0].timeline)
"""

from .courses import RecordedJob, recorded_jobs
from .exchange import Recording
from .replaying import Replay, replay

__all__ = ["RecordedJob", "Recording", "Replay", "recorded_jobs", "replay"]
