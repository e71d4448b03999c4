"""The regional hub: what national sites publish, gathered, checked, and made into one release (docs/hub.md)."""
