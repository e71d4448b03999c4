"""`make serve`: a release over HTTP, its files as they are and the SDMX REST services in full.

One request goes so: `ask` reads the address, `figures` finds the observations with DuckDB in the Parquet files of the
release, the writers of `formats` and `structures` write the answer. Nothing is ever written to the release.
"""
