"""Clients as they are written in good faith: each module has one bug, and beside it the same code without it.

They use nothing but `requests` and know nothing of the fake. `base_url` ends in `/elements/api-v2`, `headers` carries
the credentials, `csv` is the text of the file.
"""
