"""Words results: one renderer per format."""
