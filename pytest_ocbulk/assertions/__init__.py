"""What a test asserts about its fake; pytest rewrites these modules' own assertions.

Modules: uploaded (rows as ground truth), comparison (aligned by key), causes (what explains a difference), called
(calls that were made), nearness (those that came closest).
"""

from .called import assert_called
from .nearness import Wanted
from .uploaded import assert_uploaded

__all__ = ["Wanted", "assert_called", "assert_uploaded"]
