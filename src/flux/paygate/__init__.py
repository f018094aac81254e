"""The paygate: sells API calls. A consumer pays on chain, signs, and calls through; we verify, relay and account."""
