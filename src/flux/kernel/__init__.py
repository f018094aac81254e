"""The kernel: what every plane stands on and none may change for itself.

faults/    what a failure is: declaration, registry, raising, recording, simulating, injecting
wire/      HTTP and WebSocket in and out: routes, bodies, headers, limits, OpenAPI
identity/  who is asking: hashed tokens, signatures, constant-time compare
quota/     how often: GCRA buckets, fixed windows, their headers
store/     the durable truth: database port, unit of work, migrations, ids, clock
blobs/ bus/ jobs/ post/   large bytes, what just happened, what must happen later, mail and texts
watch/     logs, metrics, health

The kernel imports no plane. Start at `faults/declaration.py`, then `wire/routes.py`.
"""
