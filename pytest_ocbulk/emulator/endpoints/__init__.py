"""One function per call of the API; the only place that knows the JSON shapes. One module per resource."""
