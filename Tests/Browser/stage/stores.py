"""Rows and scores of the real engine, read while the scenarios' event loop goes on."""
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Chaos"))
import stores  # noqa: E402  (Tests/Chaos/stores.py)

COLUMNS = ("n", "type", "name", "window_id", "visitor_id", "session_id", "user_id", "page",
           "consent", "bot", "context", "properties", "occurred_at")


class Stores:
    """One connection each, used by one task at a time."""

    def __init__(self, addresses):
        self.connection = stores.postgres(addresses["postgres"])
        self.redis = stores.Redis(addresses["redis"])
        self.lock = asyncio.Lock()

    async def rows(self, site):
        """A site's events in the order of the journal, as dictionaries."""
        statement = (f"SELECT {', '.join(COLUMNS)} FROM heliograph.event WHERE site = %s "
                     "ORDER BY received_at, journal_offset, n")
        return [dict(zip(COLUMNS, row)) for row in await self.query(statement, (site,))]

    async def query(self, statement, parameters=()):
        async with self.lock:
            return await asyncio.to_thread(self._query, statement, parameters)

    def _query(self, statement, parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    async def visitor(self, site, visitor):
        """The hash that dashboards read: score, band, profile …"""
        async with self.lock:
            return await asyncio.to_thread(self.redis.visitor, visitor, site)

    def close(self):
        self.connection.close()
        self.redis.close()
