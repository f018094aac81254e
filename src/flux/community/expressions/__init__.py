"""Emojis and stickers of guilds.

emojis.py    `EmojiService`;  stickers.py  `StickerService`: making, renaming, deleting, and who may use one where
rules.py     how many, what they may be called: pure
endpoints.py /emojis;  sticker_endpoints.py /stickers

Their images are in the media room under the expression's id. Start at emojis.py.
"""
