"""What the groups of measurements share: catalogues and servers, made when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.api.catalogue import Catalogue, catalogue
from benchmarks.api.clients import Load, Round, Turns
from benchmarks.api.site import CLIENTS, Product, Site, product
from benchmarks.loads import Files
from benchmarks.machine import PostgreSQL


@dataclass
class Bench:
    """A server, what is loaded into it, and who answers for it."""

    server: PostgreSQL
    files: Files
    turns: Turns
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def log(self) -> Path:
        """Where servers say what they have to say."""
        return self.files.folder / "servers.log"

    @cached_property
    def orders(self) -> Catalogue:
        """The catalogue of the usual size."""
        return self.held.enter_context(catalogue(self.server, self.files, self.files.rows))

    @cached_property
    def site(self) -> Product:
        """The product on it, which makes each answer anew."""
        return self.held.enter_context(product(self.orders.url, self.log))

    @cached_property
    def usual_site(self) -> Product:
        """The same as it comes: it remembers what it was asked before."""
        return self.held.enter_context(product(self.orders.url, self.log, memory=""))

    @cached_property
    def large(self) -> Catalogue:
        """The catalogue that is ten times as large."""
        return self.held.enter_context(catalogue(self.server, self.files, self.files.large_rows))

    @cached_property
    def large_site(self) -> Product:
        """The product on that."""
        return self.held.enter_context(product(self.large.url, self.log))

    def close(self) -> None:
        """End all servers, then drop the databases."""
        self.held.close()

    def compare(self, loads: Mapping[str, Load], site: Site | None = None, clients: int = CLIENTS) -> dict[str, Round]:
        """Loads on one server, on the same connections, in turns."""
        with (site or self.site).clients(clients) as connected:
            return self.turns.measure({name: (connected, load) for name, load in loads.items()})
