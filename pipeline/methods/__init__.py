"""Tables made from records: what a producing agency computes on its own machines before anything is published."""
