"""Property tests run the same examples every time, so that a red run is the change's fault and can be repeated.

`HYPOTHESIS_PROFILE=search pytest …` looks for new ones: ten times as many, at random.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("search", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
