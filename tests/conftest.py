"""Laws are tested on the same examples in every run; `make fuzz` looks for new ones."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("house", derandomize=True, database=None)
settings.register_profile(
    "fuzz", derandomize=False, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("VEDETTE_HYPOTHESIS", "house"))
