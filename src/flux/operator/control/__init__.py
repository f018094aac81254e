"""What the holder of the admin token may do to a running instance.

relay.py       what one worker process is told, all of them do
rules.py       the bounds of the sandbox clock and of an armed fault
service.py     `Maintenance` for every instance, `Sandbox` for test instances
endpoints.py   /operator/* and, only in the sandbox, /sandbox/*

Test suites and people in a terminal come here. Start at service.py.
"""
