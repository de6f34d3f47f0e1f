"""What GA4's Measurement Protocol takes (specs, section 6.2). GA4 itself answers 204 to anything, so
what is wrong is only written down, as a list of code and words."""

import re

from meta_rules import CURRENCIES, DIGEST, Refusal, strict_json

KNOWN = {"client_id", "user_id", "timestamp_micros", "user_properties", "user_data", "consent",
         "non_personalized_ads", "user_location", "ip_override", "device", "user_agent",
         "validation_behavior", "events"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
RESERVED = set("""ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_clear_data
app_exception app_install app_remove app_store_refund app_update app_upgrade dynamic_link_app_open
dynamic_link_app_update dynamic_link_first_open error firebase_campaign
firebase_in_app_message_action firebase_in_app_message_dismiss firebase_in_app_message_impression
first_open first_visit notification_dismiss notification_foreground notification_open
notification_receive notification_send os_update session_start user_engagement""".split())
PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
LONG = {"page_title": 300, "page_referrer": 420, "page_location": 1000}
NEEDS = {"purchase": ("transaction_id", "items", "value"), "refund": ("transaction_id", "value"),
         "add_to_cart": ("value", "items"), "begin_checkout": ("value", "items"),
         "view_item": ("value", "items"), "generate_lead": ("value",), "search": ("search_term",)}


def check_request(request, rules) -> tuple[str, list[dict], list[tuple[str, str]]]:
    """Measurement id, events, and everything that is wrong."""
    found: list[tuple[str, str]] = []

    def wrong(code: str, what: str) -> None:
        found.append((code, what))

    query = dict(part.partition("=")[::2] for part in request.query.split("&") if part)
    if set(query) != {"api_secret", "measurement_id"}:
        wrong("VALUE_REQUIRED", "the query must hold api_secret and measurement_id alone")
    if query.get("api_secret") != rules.ga_secret:
        wrong("VALUE_INVALID", "api_secret")
    if len(request.body) >= 130_000:
        wrong("EXCEEDED_MAX_ENTITIES", "body")
    try:
        body = strict_json(request.body)
    except Refusal as error:
        return query.get("measurement_id", ""), [], [("VALUE_INVALID", str(error))]
    check_envelope(body, rules, wrong)
    events = body.get("events", [])
    if not 1 <= len(events) <= 25:
        wrong("EXCEEDED_MAX_ENTITIES", "1 to 25 events")
    for event in events:
        check_event(event, wrong)
    return query.get("measurement_id", ""), events, found


def check_envelope(body: dict, rules, wrong) -> None:
    for key in set(body) - KNOWN:
        wrong("NAME_INVALID", key)
    if not re.fullmatch(r"\d+\.\d+", str(body.get("client_id"))):
        wrong("VALUE_INVALID", "client_id")
    at = body.get("timestamp_micros")
    if type(at) is not int or len(str(at)) != 16:
        wrong("VALUE_INVALID", "timestamp_micros must be microseconds")
    elif not -300 <= rules.now() - at / 1e6 <= 72 * 3600:
        wrong("VALUE_OUT_OF_BOUNDS", "timestamp_micros")
    consent = body.get("consent")
    if not isinstance(consent, dict) or set(consent) != {"ad_user_data", "ad_personalization"} or any(
            value not in ("GRANTED", "DENIED") for value in consent.values()):
        wrong("VALUE_REQUIRED", "consent")
        consent = {}
    if "user_data" in body:
        if consent.get("ad_user_data") != "GRANTED" or not body.get("user_id"):
            wrong("VALUE_INVALID", "user_data without consent or user_id")
        for key in ("sha256_email_address", "sha256_phone_number"):
            values = body["user_data"].get(key, [])
            values = values if isinstance(values, list) else [values]
            if len(values) > 3 or any(not DIGEST.fullmatch(value) for value in values):
                wrong("VALUE_INVALID", key)


def check_event(event: dict, wrong) -> None:
    name = event.get("name", "")
    if not NAME.fullmatch(name):
        wrong("NAME_INVALID", name)
    if name in RESERVED or name.startswith(PREFIXES):
        wrong("NAME_RESERVED", name)
    params = event.get("params", {})
    if len(params) > 25:
        wrong("EXCEEDED_MAX_ENTITIES", "params")
    for key, value in params.items():
        check_param(key, value, wrong)
    if ("value" in params) != ("currency" in params):
        wrong("VALUE_REQUIRED", "value and currency go together")
    if "currency" in params and params["currency"] not in CURRENCIES:
        wrong("VALUE_INVALID", "currency")
    for key in NEEDS.get(name, ()):
        if key not in params:
            wrong("VALUE_REQUIRED", f"{name} needs {key}")
    engaged = params.get("engagement_time_msec")
    if type(engaged) is not int or engaged < 1:
        wrong("VALUE_REQUIRED", "engagement_time_msec")
    if "session_id" in params and not str(params["session_id"]).isdigit():
        wrong("VALUE_INVALID", "session_id")


def check_param(key: str, value, wrong) -> None:
    if key == "items":
        if len(value) > 200 or any(not (item.get("item_id") or item.get("item_name"))
                                   for item in value):
            wrong("VALUE_INVALID", "items")
        return
    if not NAME.fullmatch(key) or key.startswith(PREFIXES):
        wrong("NAME_INVALID", key)
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        wrong("VALUE_INVALID", key)
    if isinstance(value, str) and len(value) > LONG.get(key, 100):
        wrong("VALUE_OUT_OF_BOUNDS", key)
