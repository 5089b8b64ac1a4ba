"""Laws are tested on the same examples in every run; `make fuzz` looks for new ones."""

import os

from hypothesis import HealthCheck, settings

# How long examples take to make says how busy the machine is, and nothing about the code.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("house", derandomize=True, database=None, suppress_health_check=_SLOW)
settings.register_profile("fuzz", derandomize=False, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile(
    "deep", derandomize=False, print_blob=True, suppress_health_check=_SLOW, max_examples=20000
)
settings.load_profile(os.environ.get("VEDETTE_HYPOTHESIS", "house"))
