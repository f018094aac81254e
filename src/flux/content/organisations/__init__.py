"""Organisations, their projects and environments, plans, usage and regions.

Environments are what everything else hangs on; the gate visits `Organisations.environment` for every management
request, delivery visits `Organisations.delivery_environment`. Other rooms ask `Plans` whether one more is allowed.
Start at service.py.
"""
