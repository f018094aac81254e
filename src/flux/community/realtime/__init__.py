"""The realtime gateway: one WebSocket a connection, one session behind it that outlives it for a while.

protocol.py      opcodes, close codes, frames and how inbound payloads are read: pure
connection.py    a socket that is written to without a task of its own;  compression.py  its encodings
session.py       numbered events, what was not acknowledged yet, what is waiting for a slow reader
sieve.py         what of them a client does not want, or wants together
guildroom.py     one guild in this process: who sees what, and handing each event to them;  seats.py  what it remembers
refreshing.py    compares rooms with the database where several processes may tell things out of order
audience.py      what sessions can do without;  memberlist.py  who stands where beside a channel;  lists.py  telling it
hub.py           all sessions and rooms of this process, fed by the bus
attendance.py    accounts and how they are here;  presence.py  who is here in any process;  statuses.py  telling it
rosters.py       an account's sessions in all processes
neighbours.py    the other processes: a client may resume here what lives there;  letters.py  what they write each other
lending.py       our connection, their session;  borrowing.py  our session, their connection
conversation.py  what a connected client says, from hello to goodbye;  ready.py  what it gets first

An event reaches a client like this: service → commit → bus → hub → room (permission filter) → session → connection.
Sessions live in the process that identified them and are resumed through any. Uses guilds, members, users; nothing uses it
but invites, which ask who is connected. Start at conversation.py.
"""
