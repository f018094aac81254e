"""The paygate's fault table; the groups beside this file fill it."""

from flux.kernel.faults import FaultTable

paygate = FaultTable("paygate")
