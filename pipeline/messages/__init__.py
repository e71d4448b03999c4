"""Library → SDMX structure messages: sdmx1's information model, written in three languages by us.

No library writes SDMX-ML 3.0 or SDMX-JSON with more than one language, so the writers are here; the
objects they write are sdmx1's.
"""
