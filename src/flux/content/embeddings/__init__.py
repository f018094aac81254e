"""Embeddings: texts as vectors of unit length, for searches by similarity.

The built-in model hashes words and character n-grams into a fixed number of dimensions: it needs nothing, is the same
everywhere, and is honest about being lexical: it finds texts that share words and parts of words. An
OpenAI-compatible service can take its place. A vector is computed before the unit of work that stores it, never
inside. Projection and search visit `Embeddings`. Start at service.py.
"""
