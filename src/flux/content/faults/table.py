"""The table of the content plane."""

from flux.kernel.faults import FaultTable

content = FaultTable("content")
