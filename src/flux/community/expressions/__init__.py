"""Emojis and stickers of guilds.

service.py   `ExpressionService`: making, changing, deleting, and who may use one where
emojis.py    `EmojiService`;  stickers.py  `StickerService`: in what they differ
rules.py     how many, who may change one: pure
endpoints.py /emojis;  sticker_endpoints.py /stickers

Their images are in the media room under the expression's id. Start at service.py.
"""
