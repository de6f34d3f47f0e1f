"""The companion's figures computed from all rows, without SQL's help, to hold its answers against."""

import datetime
import re
from collections import defaultdict
from zoneinfo import ZoneInfo

import psycopg2.extras

ZONE = ZoneInfo("America/New_York")

class Rows:
    """All rows, and what the companion should say about them."""

    def __init__(self, database):
        cursor = database.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        def table(name):
            cursor.execute(f"SELECT * FROM heliograph.{name}")
            return [dict(row) for row in cursor.fetchall()]
        touches = sorted(table("touch"), key=lambda one: (one["at"], one["journal_offset"]))
        first = {}
        for touch in touches:
            first.setdefault((touch["visitor_id"], touch["session_id"]), touch)
        self.touches, self.conversions = first, table("conversion")
        self.history, self.events = by_visitor(table("score_history")), by_visitor(table("event"))
        self.bases = {
            "events": [row | {"time": row["occurred_at"]} for row in table("event") if not row["bot"]],
            "sessions": [row | {"time": row["started_at"]} for row in table("session")
                         if not row["bot"] and row["page_views"] > 0],
            "conversions": [row | {"time": row["occurred_at"]} for row in self.conversions
                            if not row["bot"]],
            "readiness": [row | {"time": row["at"]} for row in table("score_history")
                          if not row["bot"]],
            "deliveries": [row | {"time": row["created_at"]} for row in table("delivery")],
            "intake": [row | {"time": row["received_at"]} for row in table("rejected_event")
                       if row["site"] == "shop"]}
        self.credits = table("attribution")
        self.bases["attribution"] = self.shares(self.credits)
        for row in self.bases["sessions"]:
            row |= self.outcome(row)
        self.bases["arrivals"] = self.arrivals()
        self.bases["people"] = [row | {"view": True} for row in self.bases["events"]
                                if row["type"] == "pv"]
        self.bases["people"] += [row | {"view": False} for row in self.bases["conversions"]]
        for base in ("events", "sessions", "conversions", "arrivals", "people"):
            for row in self.bases[base]:
                row["touch"] = first.get((row["visitor_id"], row["session_id"]))

    def shares(self, attribution, model: str = "last_non_direct") -> list[dict]:
        of = {row["conversion_id"]: row for row in self.conversions}
        return [of[row["conversion_id"]] | {"time": of[row["conversion_id"]]["occurred_at"], "touch": row,
                                            "credit": row["credit"]}
                for row in attribution
                if row["model"] == model and not of[row["conversion_id"]]["bot"]]

    def outcome(self, session) -> dict:
        """How a session ended, from the other tables' rows."""
        own = lambda row: row["session_id"] == session["session_id"]
        converted = any(own(row) for row in self.bases["conversions"])
        acted = any(own(row) and row["type"] in ("ck", "fm", "id")
                    for row in self.events.get(session["visitor_id"], []))
        until = session["ended_at"] + datetime.timedelta(minutes=1)
        points = [point for point in self.history.get(session["visitor_id"], [])
                  if point["at"] <= until]
        views = [row for row in self.events.get(session["visitor_id"], [])
                 if own(row) and row["type"] == "pv" and not row["bot"]]
        landing = min(views, default=None, key=lambda row: (
            row["occurred_at"], row["journal_offset"], row["n"]))
        last = max(points, key=lambda point: (point["at"], point["journal_offset"]), default={})
        return {"converted": converted, "end": last.get("score"), "end_band": last.get("band"),
                "profile": last.get("profile"), "landing_page": landing and page(landing),
                "bounced": session["page_views"] == 1 and not acted and not converted
                and session["active_milliseconds"] < 10_000}

    def arrivals(self) -> list[dict]:
        first = {}
        for row in self.bases["sessions"]:
            known = first.setdefault(row["visitor_id"], row)
            if (row["started_at"], row["session_id"]) < (known["started_at"], known["session_id"]):
                first[row["visitor_id"]] = row
        return [dict(row) for row in first.values()]

    def value(self, metric: str, rows: dict):
        if metric in RATIOS:
            upper, lower = (self.value(name, rows) for name in RATIOS[metric])
            return None if upper is None or not lower else float(upper) / float(lower)
        if metric == "returning_visitors":
            return self.value("visitors", rows) - self.value("new_visitors", rows)
        if metric == "engagement_rate":
            rate = self.value("bounce_rate", rows)
            return None if rate is None else 1 - rate
        base, formula = METRICS[metric]
        return formula(rows[base])

    def told(self, metric: str, rows: dict):
        """As the companion tells it: money in whole cents."""
        value = self.value(metric, rows)
        return round(value * 100 + 1e-6) if metric in MONEY and value is not None else value


MONEY = {"revenue", "aov", "revenue_per_visitor", "attributed_revenue"}
RATIOS = {"aov": ("revenue", "orders"), "revenue_per_visitor": ("revenue", "visitors"),
          "bounce_rate": ("bounces", "sessions"),
          "session_conversion_rate": ("converting_sessions", "sessions")}


def by_visitor(rows) -> dict:
    found = defaultdict(list)
    for row in rows:
        found[row["visitor_id"]].append(row)
    return found


def distinct(rows) -> int:
    return len({row["visitor_id"] for row in rows})


def mean(values):
    values = list(values)
    return sum(map(float, values)) / len(values) if values else None


def quantile(values, share: float):
    """Between the two nearest values, in proportion."""
    values = sorted(float(value) for value in values if value is not None)
    if not values:
        return None
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def money(rows):
    bought = [row for row in rows if row["name"] == "purchase"]
    return sum(float(row["value"] or 0) * row.get("credit", 1) for row in bought)


def band_share(band: str):
    return lambda rows: mean(row["end_band"] == band for row in rows if row["end_band"])


def viewers_who_converted(rows):
    viewers = {row["visitor_id"] for row in rows if row["view"]}
    return len(viewers & {row["visitor_id"] for row in rows if not row["view"]}) / len(viewers) \
        if viewers else None


METRICS = {
    "visitors": ("events", lambda rows: distinct(row for row in rows if row["type"] == "pv")),
    "page_views": ("events", lambda rows: sum(row["type"] == "pv" for row in rows)),
    "events": ("events", len), "sessions": ("sessions", len),
    "views_per_session": ("sessions", lambda rows: mean(row["page_views"] for row in rows)),
    "single_page_rate": ("sessions", lambda rows: mean(row["page_views"] == 1 for row in rows)),
    "active_time_avg": ("sessions", lambda rows: mean(row["active_milliseconds"] for row in rows)),
    "peak_readiness_avg": ("sessions", lambda rows: mean(row["score_maximum"] for row in rows)),
    "new_visitors": ("arrivals", len), "conversion_rate": ("people", viewers_who_converted),
    "bounces": ("sessions", lambda rows: sum(row["bounced"] for row in rows)),
    "converting_sessions": ("sessions", lambda rows: sum(row["converted"] for row in rows)),
    "active_time_p50": ("sessions", lambda rows: quantile(
        (row["active_milliseconds"] for row in rows), 0.5)),
    "readiness_avg": ("sessions", lambda rows: mean(
        row["end"] for row in rows if row["end"] is not None)),
    "readiness_p50": ("sessions", lambda rows: quantile((row["end"] for row in rows), 0.5)),
    "readiness_p90": ("sessions", lambda rows: quantile((row["end"] for row in rows), 0.9)),
    "cold_share": ("sessions", band_share("cold")), "warm_share": ("sessions", band_share("warm")),
    "hot_share": ("sessions", band_share("hot")),
    "attributed_conversions": ("attribution", lambda rows: sum(
        row["credit"] for row in rows)),
    "attributed_revenue": ("attribution", money),
    "hot_visitors": ("readiness", lambda rows: distinct(r for r in rows if r["band"] == "hot")),
    "warm_visitors": ("readiness", lambda rows: distinct(r for r in rows if r["band"] == "warm")),
    "profile_changes": ("readiness", lambda rows: sum(r["profile_before"] is not None for r in rows)),
    "conversions": ("conversions", len), "converting_visitors": ("conversions", distinct),
    "orders": ("conversions", lambda rows: sum(row["name"] == "purchase" for row in rows)),
    "revenue": ("conversions", money), "deliveries": ("deliveries", len),
    "delivered": ("deliveries", lambda rows: sum(row["state"] == "delivered" for row in rows)),
    "pending": ("deliveries", lambda rows: sum(
        row["state"] in ("pending", "retry", "sending") for row in rows)),
    "dead": ("deliveries", lambda rows: sum(row["state"] == "dead" for row in rows)),
    "in_doubt": ("deliveries", lambda rows: sum(row["state"] == "in_doubt" for row in rows)),
    "rejected": ("intake", len)}


def page(row):
    return re.sub(r"^[a-z]+://[^/?#]*|[?#].*$", "", row["properties"].get("u") or "") or None


DIMENSIONS = {
    "event.type": lambda row: row["type"], "event.name": lambda row: row["name"], "event.page": page,
    "session.channel": lambda row: (row["touch"] or {}).get("channel", "unassigned"),
    "session.source": lambda row: (row["touch"] or {}).get("source"),
    "session.medium": lambda row: (row["touch"] or {}).get("medium"),
    "session.campaign": lambda row: (row["touch"] or {}).get("campaign"),
    "session.landing_page": lambda row: row["landing_page"],
    "session.device": lambda row: (row["context"] or {}).get("dv"),
    "session.browser": lambda row: (row["context"] or {}).get("br"),
    "session.os": lambda row: (row["context"] or {}).get("os"),
    "session.country": lambda row: (row["context"] or {}).get("co"),
    "session.end_band": lambda row: row["end_band"],
    "visitor.band": lambda row: row["band"], "visitor.profile": lambda row: row["profile"],
    "conversion.name": lambda row: row["name"], "conversion.currency": lambda row: row["currency"],
    "delivery.destination": lambda row: row["destination"],
    "delivery.state": lambda row: row["state"], "delivery.reason": lambda row: row["reason"],
    "intake.reason": lambda row: row["reason"], "intake.format": lambda row: row["format"]}


def bucket(moment: datetime.datetime, grain: str | None, begin: datetime.datetime) -> str | None:
    """The beginning of the bucket, as the companion writes it; the first begins with the range."""
    if grain is None:
        return None
    local = moment.astimezone(ZONE)
    if grain == "hour":
        start = local.replace(minute=0, second=0, microsecond=0)
    else:
        start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if grain == "week":
            start -= datetime.timedelta(days=start.weekday())
        if grain == "month":
            start = start.replace(day=1)
    return max(start, begin.astimezone(ZONE)).isoformat()


def bases_of(metric: str) -> list[str]:
    """Whose rows make a group; attribution's only those of the model."""
    parts = {**RATIOS, "returning_visitors": ("visitors", "new_visitors"),
             "engagement_rate": ("bounce_rate",)}.get(metric)
    return [base for part in parts for base in bases_of(part)] if parts else [METRICS[metric][0]]
