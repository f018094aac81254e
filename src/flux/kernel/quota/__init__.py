"""How often.

buckets.py  GCRA buckets and fixed windows in memory, per process, bounded; `Rate`, `Verdict`

A plane's gate asks, the plane's envelope spells the headers. Start at buckets.py.
"""

from flux.kernel.quota.buckets import Quota, Rate, Verdict

__all__ = ["Quota", "Rate", "Verdict"]
