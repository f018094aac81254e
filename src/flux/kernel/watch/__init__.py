"""How the house looks at itself.

logs.py        structured lines with the request they belong to; secrets never reach them
metrics.py     counts and durations, cheap to note, read out for Prometheus
readiness.py   named checks behind `/ready`, each with a deadline
processes.py   what this process uses: memory, processor, files
repository.py  what the checks ask of a database
doctor.py      `flux doctor`: what is wrong with an installation, and what to do about it
               (installation.py databases.py outside.py are its checks, findings.py what they report)

Whoever owns something that can break adds a check and its counts here; nothing here knows a plane.
Start at metrics.py.
"""

from flux.kernel.watch.logs import configure_logging, guard, in_request
from flux.kernel.watch.metrics import Metrics, RouteMeter
from flux.kernel.watch.processes import Usage, usage
from flux.kernel.watch.readiness import NotReady, Readiness, Report, watch_bus, watch_store

__all__ = [
    "Metrics",
    "NotReady",
    "Readiness",
    "Report",
    "RouteMeter",
    "Usage",
    "configure_logging",
    "guard",
    "in_request",
    "usage",
    "watch_bus",
    "watch_store",
]
