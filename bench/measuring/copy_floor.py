"""How fast PostgreSQL takes the same rows when nothing but a binary COPY is in the way."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Chaos"))
from stores import postgres  # noqa: E402

ROWS_MAX = 500_000
FULLEST_DAY = """SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = 'heliograph.event'::regclass
ORDER BY pg_relation_size(inhrelid) DESC LIMIT 1"""


def rows_per_second(address: str) -> float:
    """Copies event rows into an empty table with the same columns and indexes, in one stream.

    The engine is idle meanwhile. The table is logged, so it is as durable as the engine's own rows.
    """
    connection = postgres(address)
    connection.autocommit = True
    with connection.cursor() as cursor, tempfile.TemporaryFile() as spool:
        cursor.execute(FULLEST_DAY)
        # A name that PostgreSQL itself gave, quoted as it gave it.
        day = cursor.fetchone()[0]
        cursor.copy_expert(f"COPY (SELECT * FROM {day} LIMIT {ROWS_MAX}) TO STDOUT (FORMAT binary)",
                           spool)
        cursor.execute(f"CREATE TABLE public.copy_floor (LIKE {day} INCLUDING ALL)")
        try:
            spool.seek(0)
            begun = time.monotonic()
            cursor.copy_expert("COPY public.copy_floor FROM STDIN (FORMAT binary)", spool)
            seconds = time.monotonic() - begun
            rows = cursor.rowcount
        finally:
            cursor.execute("DROP TABLE public.copy_floor")
    connection.close()
    return rows / seconds
