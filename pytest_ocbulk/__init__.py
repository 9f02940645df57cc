"""A fake SAP Open Connectors bulk API for tests."""
