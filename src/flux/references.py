"""`flux errors`: the reference of every plane, built from their routes without starting anything."""

from __future__ import annotations
