"""All sites, several hosts at once: one that is slow, broken or hostile costs the others nothing."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from pipeline.errors import InputError, TrayectoError, of_the_machine
from pipeline.hub import gather, service
from pipeline.hub.kept import Kept
from pipeline.hub.sites import Hub, Site
from pipeline.hub.web import Web

log = logging.getLogger("trayecto")

_GRACE_SECONDS = 5  # for a visit to see itself that its time is over


class _Visits:
    """Hosts being asked, each in a thread of its own; those that do not end in time are left behind."""

    def __init__(self, hub: Hub, folder: Path, bench: gather.Bench, contact: str) -> None:
        self._hub, self._folder, self._bench, self._contact = hub, folder, bench, contact
        self._running: dict[str, tuple[list[Site], float]] = {}
        self._ended: queue.SimpleQueue[tuple[str, list[gather.Visit]]] = queue.SimpleQueue()
        self.found: dict[str, gather.Visit] = {}

    def begin(self, host: str, sites: list[Site]) -> None:
        until = time.monotonic() + len(sites) * self._hub.limits.site_seconds + _GRACE_SECONDS
        self._running[host] = (sites, until)
        threading.Thread(target=self._ask, args=(host, sites), daemon=True).start()

    @property
    def running(self) -> int:
        return len(self._running)

    def wait(self) -> int:
        """Wait until a host is done with, or its time is over; how many are."""
        done = 0
        try:
            host, visits = self._ended.get(timeout=0.5)
            if self._running.pop(host, None) is not None:
                self.found |= {each.site.address: each for each in visits}
                done += 1
        except queue.Empty:
            pass
        for host in [host for host, (_, until) in self._running.items() if time.monotonic() > until]:
            sites, _ = self._running.pop(host)
            self.found |= {each.address: self._silent(each) for each in sites}
            done += 1
        return done

    def _silent(self, site: Site) -> gather.Visit:
        error = InputError(
            "{address}: the site takes longer than {seconds} seconds.",
            address=site.address,
            seconds=self._hub.limits.site_seconds,
        )
        return gather.Visit(site, Kept(self._folder / site.folder).state, fault=error.text())

    def _ask(self, host: str, sites: list[Site]) -> None:
        self._ended.put((host, [self._visit(site) for site in sites]))

    def _visit(self, site: Site) -> gather.Visit:
        kept = Kept(self._folder / site.folder)
        web = Web(site, self._hub.limits, self._contact, self._bench.now.timestamp(), dict(kept.state.robots))
        try:
            ask = service.visit if site.api else gather.gather
            return ask(site, kept, web, self._bench)
        except InputError as error:
            fault: TrayectoError = error
        except Exception as error:
            log.exception("%s", site.address)
            fault = of_the_machine(error) or InputError(
                "{address}: the program does not understand what the site sent ({error}). Please report it.",
                address=site.address,
                error=type(error).__name__,
            )
        finally:
            web.close()
        return gather.Visit(site, kept.state, fault=fault.text(), requests=web.requests, bytes=web.bytes)


def gather_all(hub: Hub, folder: Path, bench: gather.Bench, *, contact: str, said: str) -> list[gather.Visit]:
    """Visit every site and keep what it has new below `folder`; the visits, in the order of the list.

    A terminal is shown how far that is, after the words `said`.
    """
    hosts: dict[str, list[Site]] = {}
    for site in hub.sites:
        hosts.setdefault(site.host, []).append(site)
    visits, waiting = _Visits(hub, folder, bench, contact), list(hosts.items())
    with tqdm(desc=said, total=len(hosts), disable=None if said else True, leave=False) as bar:
        while waiting or visits.running:
            while waiting and visits.running < hub.limits.hosts_at_once:
                visits.begin(*waiting.pop(0))
            bar.update(visits.wait())
    return [visits.found[site.address] for site in hub.sites]


def totals(visits: Iterable[gather.Visit]) -> tuple[int, int]:
    """Requests and bytes of all visits."""
    every = list(visits)
    return sum(each.requests for each in every), sum(each.bytes for each in every)
