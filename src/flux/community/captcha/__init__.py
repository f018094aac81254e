"""Proving to be human, where the instance asks for it.

altcha.py      proof of work, built in: challenges are signed, expire, and their solutions work once
siteverify.py  hCaptcha and Turnstile, whose verifiers speak the same protocol
service.py     which of them, and what becomes of it;  endpoints.py  where ALTCHA challenges come from

Registration, login and forgotten passwords ask this room. In the sandbox the provider `sandbox` takes the word `ok`.
"""
