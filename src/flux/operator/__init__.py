"""Everything that is served beside the three planes, and the answer to every path that is under none of them.

faults.py envelope.py gate.py   what can go wrong here, how it is spelled, who may pass
pages/       the welcome page and the frame all pages share
probes/      /health, /ready, /metrics, /openapi/{plane}.json
reference/   the error reference: /errors, /errors.json, and `flux errors`
control/     /sandbox/* (only in the sandbox) and /operator/*: what the holder of the admin token may do
plane.py     puts it together: start here

No plane imports this one; it knows the planes only as `wire.Plane`s.
"""
