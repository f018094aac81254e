"""The error reference: every code of every plane, with the routes that can answer it and the last proof that one did.

entries.py    the reference as data, from the planes, their contracts and the proofs
proofs.py     when each code was last seen leaving a real socket, and how to call it forth again
text.py       `flux errors` and `flux errors explain`
page.py       the page; style.css and search.js are put into it, so that it needs nothing else
endpoints.py  /errors and /errors.json

Whoever met a code comes here. Start at entries.py.
"""

from flux.operator.reference.entries import Entry, reference
from flux.operator.reference.proofs import Proof, Proofs
from flux.operator.reference.text import explain, print_json, print_matrix

__all__ = ["Entry", "Proof", "Proofs", "explain", "print_json", "print_matrix", "reference"]
