"""Property tests: no time limit an example, since machines are shared and noisy."""

from hypothesis import settings

settings.register_profile("untimed")
settings.load_profile("untimed")
