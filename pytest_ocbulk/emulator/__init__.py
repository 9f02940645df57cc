"""The core: what the imitated service does, as values and tables.

No network, no clock, no dice, no thread.
"""
