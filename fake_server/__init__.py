"""The standalone fake server: `ocbulk-server`, its control API and the demo."""
