"""Short codes that travel by mail or text message. Start at service.py.

A code is kept as a keyed hash, works for ten minutes, once, and bears five wrong tries. Any room may ask for one;
what the code opens, and the letter around it, is that room's business.
"""
