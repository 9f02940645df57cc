"""The downstream project is run as one, by tests/test_plugin_examples.py."""

collect_ignore = ["downstream"]
