"""The community: people, guilds, channels, messages, bots, and a realtime gateway.

plane.py       puts the rooms together; start here;  identities.py and furnishing.py  parts of it
gate.py        who is let in, how often, in which order it is asked;  principals.py  who is asking
envelope.py    how failures are spelled;  faults/  what they are
inputs.py      what bodies share: trimming, bitfields;  announcing.py  what happened, told to the bus

Rooms, lower ones first; a room uses only rooms above it in this list:
users          accounts, their tags, profiles and settings
codes          short codes by mail and text
factors        one-time codes, backup codes, texts;  passkeys  WebAuthn;  captcha  proofs of being human
auth           registration, login and its second step, sessions, mail tokens, sudo
mfa            the doors of factors and passkeys;  phones  numbers and their proof
standing       who may do what where: the permission algorithm
media          images: probing, decoding in workers, sizes and formats;  uploads  files of messages
audit          what moderators did;  voice  where voice is carried
expressions    emojis, stickers
erasure        the end of an account
account        one's own account, another address, another password
roles  channels  members  guilds
relationships  friends, blocks, who may write to whom
profiles       of those one knows
notes          what one writes about others;  loudness  how much one wants to hear;  mentions  whom messages name
messages       sending, editing, pins, reactions, saved messages, links
unfurling      what links lead to;  webhooks  programs that speak through a URL
inbox          read states, mentions
conversations  direct and group
oauth2         applications, bots, consent, tokens
bans  invites
realtime       the gateway
admin          what the operator may do to all of them
instance       discovery, health, the gateway's address
"""
