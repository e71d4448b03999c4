"""`make harvest-check`: what an agency's client sees when it harvests the release."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.serve import QuietHandler, server


@contextmanager
def served(public: Path) -> Iterator[str]:
    """The release on a free port of the loopback address; yields its address."""
    with server(public, port=0, handler=QuietHandler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def harvest_check(public: Path) -> int:
    """List the dataflows, read each structure and all data with the sdmx1 client; compare with the CSV."""
    import sdmx  # slow to import

    with served(public) as address:
        sdmx.add_source({"id": "RELEASE", "name": "This release", "url": f"{address}/sdmx/v1"}, override=True)
        client = sdmx.Client("RELEASE")
        flows = client.dataflow(agency_id="MIGLAC").dataflow
        print(f"{len(flows)} dataflows listed at {address}/sdmx/v1")
        wrong = 0
        for flow in flows.values():
            expected = _rows(public / f"sdmx/v2/data/dataflow/MIGLAC/{flow.id}/1.0.0/index.csv")
            if expected is None:
                print(f"  {flow.id:12} no data yet")
                continue
            message = client.datastructure(
                resource_id=flow.structure.id, agency_id="MIGLAC", params={"references": "all"}
            )
            data = client.data(flow.id, key={}, dsd=message.structure[flow.structure.id])
            found = sum(len(dataset.obs) for dataset in data.data)
            wrong += found != expected
            difference = "" if found == expected else f", {expected:,} in the CSV"
            print(f"  {flow.id:12} {found:>8,} observations{difference}")
    return 1 if wrong else 0


def _rows(path: Path) -> int | None:
    """Observations of an SDMX-CSV file: its records less the header."""
    import csv

    if not path.exists():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1
