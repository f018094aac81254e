"""Images: what they are, whether they may be kept, and showing them in the sizes and formats clients ask for.

probe.py       what a file is, from its first bytes, without decoding anything: pure
darkroom.py    gives images to workers;  developing.py  a worker: the only code that decodes, in a process of its own
screening.py   files the instance does not carry
service.py     `AssetService`: avatars, icons, banners, splashes, emoji and sticker images
gallery.py     serving an image as it is or as something smaller;  endpoints.py
sweeping.py    deletes what nothing points at

The rooms that own an image keep its hash; the image itself is here. Start at service.py.
"""
