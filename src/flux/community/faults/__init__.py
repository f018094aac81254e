"""Every failure the community API answers with, one constant a code, in groups as in the published reference.

table.py     the table the groups declare into
general.py   identity, resources, rate limits, validation, the server itself, and the wire's extensions
accounts.py  account status and proof, OAuth2, captcha, sudo, passkeys, connections, payments
proofs.py    phones, text messages, mails about new addresses
places.py    what guilds, channels, messages, voice and invites refuse, and their limits

Rooms write `from flux.community import faults` and raise `faults.UNKNOWN_CHANNEL()`.
"""

from flux.community.faults.accounts import *  # noqa: F403
from flux.community.faults.general import *  # noqa: F403
from flux.community.faults.places import *  # noqa: F403
from flux.community.faults.proofs import *  # noqa: F403
from flux.community.faults.table import community

__all__ = ["community"]
