"""Laws whose single example costs a tenth of a second or more: a third of the profile's examples."""

from hypothesis import settings

HEAVY = settings(max_examples=settings().max_examples // 3)
