"""`flux paygate demo`: the whole way of a payment on this machine, told step by step.

walk.py       the steps, and the world they need; start here
processes.py  anvil and a server of our own, started and surely ended
chain.py      a wallet's view of a chain: send, deploy, wait, over JSON-RPC
shop.py       the small API that is sold
asking.py     HTTP in the plainest way
Token.sol     the test token; Token.hex is its code

Outside the planes: it talks to the server only as any client does, over HTTP, and borrows the pure signing code.
"""
