"""The table of community faults. Each group file declares into it when it is imported."""

from flux.kernel.faults import FaultTable

community = FaultTable("community")
