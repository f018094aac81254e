"""Files that come with messages: taking them in, keeping them, serving them.

multipart.py   a form as it arrives, part by part, in constant memory: pure
naming.py      what a file may be called, what it is served as: pure
archives.py    zip files that unpack to far more than they are: pure
forms.py       a request's form: its JSON and its files
service.py     `UploadService`: into the blobs, claimed by a message, given up, swept
endpoints.py   serving

A file is in the blobs and in its table before the unit of work that makes it part of a message. Until then it is
nobody's and nobody can load it. Start at service.py.
"""
