"""What Meta's Conversions API takes, checked by a reader of its own: written from the documentation
(specs, section 6.1), knowing nothing of the engine's code."""

import hashlib
import ipaddress
import json
import re

EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()
HASHED = {"em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id"}
PLAIN = {"client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id", "fb_login_id",
         "lead_id"}
EVENT_KEYS = {"event_name", "event_time", "event_id", "action_source", "event_source_url", "user_data",
              "custom_data", "referrer_url", "opt_out", "data_processing_options",
              "data_processing_options_country", "data_processing_options_state",
              "original_event_data"}
TOP_KEYS = {"data", "test_event_code", "partner_agent", "access_token", "appsecret_proof"}
ACTION_SOURCES = {"website", "app", "email", "phone_call", "chat", "physical_store",
                  "system_generated", "business_messaging", "other"}
FORBIDDEN_SETS = [{"ct", "country", "st", "zp", "ge", "client_user_agent"}, {"db", "client_user_agent"},
                  {"fn", "ge"}, {"ln", "ge"}]
CURRENCIES = set("""AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD
BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF
YER ZAR ZMW ZWL""".split())
CLICK = re.compile(r"fb\.\d\.(\d{13})\.[A-Za-z0-9_-]+(\.([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?")
BROWSER = re.compile(r"fb\.\d\.(\d{13})\.\d{1,10}(\.([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?")
DIGEST = re.compile(r"[0-9a-f]{64}")
PATH = re.compile(r"/(v\d+\.\d+)/(\d+)/events")
EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Refusal(Exception):
    """The whole request is refused; code and subcode are Meta's."""

    def __init__(self, code: int, subcode: int | None, title: str):
        super().__init__(title)
        self.code, self.subcode, self.title = code, subcode, title


def refuse(title: str, code: int = 100, subcode: int | None = None):
    raise Refusal(code, subcode, title)


def strict_json(body: bytes):
    """JSON without duplicate keys, NaN, trailing data or broken UTF-8."""
    def pairs(found):
        keys = [key for key, _ in found]
        if len(keys) != len(set(keys)):
            refuse("duplicate key in JSON")
        return dict(found)

    def constant(name):
        refuse(f"{name} in JSON")

    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        refuse(f"not JSON: {error}")


def check_request(request, rules) -> tuple[str, list[dict]]:
    """Pixel and events of a request that Meta would take; raises `Refusal`."""
    path, _, query = request.target.partition("?")
    match = PATH.fullmatch(path)
    if not match:
        refuse("no such path", 2500)
    if match[1] not in rules.versions:
        refuse("this version is no more", 2635)
    if request.method != "POST":
        refuse("not a POST")
    if query:
        refuse("lint: something in the query")
    if not request.headers.get("content-type", "").startswith("application/json"):
        refuse("content type")
    if "cookie" in request.headers:
        refuse("lint: a cookie")
    envelope = strict_json(request.body)
    if not isinstance(envelope, dict) or not set(envelope) <= TOP_KEYS:
        refuse("unknown keys in the envelope")
    if envelope.get("access_token") != rules.token:
        refuse("Invalid OAuth access token", 190, 463)
    if request.body.count(rules.token.encode()) != 1:
        refuse("lint: the token stands there twice")
    if "test_event_code" in envelope and not rules.test_mode:
        refuse("lint: a test code on production traffic")
    agent = envelope.get("partner_agent")
    if agent is not None and (len(agent) > 22 or sum(c.isalpha() for c in agent) < 2):
        refuse("partner_agent")
    events = envelope.get("data")
    if not isinstance(events, list) or not 1 <= len(events) <= 1000:
        refuse("data must hold 1 to 1000")
    for event in events:
        check_event(event, rules)
    return match[2], events


def check_event(event, rules) -> None:
    if not isinstance(event, dict) or not set(event) <= EVENT_KEYS:
        refuse("unknown keys in an event")
    name = event.get("event_name")
    if not isinstance(name, str) or not 1 <= len(name) <= 50 or not name.isprintable():
        refuse("event_name")
    check_time(event, rules)
    if not isinstance(event.get("event_id"), str) or not EVENT_ID.fullmatch(event["event_id"]):
        refuse("lint: event_id")
    source = event.get("action_source")
    if source not in ACTION_SOURCES:
        refuse("action_source")
    for key in ("event_source_url", "referrer_url"):
        if key in event and not re.match(r"https?://", str(event[key])):
            refuse(key)
    user = event.get("user_data")
    if not isinstance(user, dict):
        refuse("user_data")
    check_user(user, event["event_time"], rules)
    if source == "website" and ("event_source_url" not in event or "client_user_agent" not in user):
        refuse("website without address or user agent")
    check_limited(event, user)
    check_custom(event.get("custom_data"), name)


def check_time(event, rules) -> None:
    at = event.get("event_time")
    if type(at) is not int or not 0 < at < 10**10:
        refuse("event_time must be whole seconds")
    age = rules.now() - at
    if age > 7 * 86_400:
        refuse("event_time too old", 100, 2804003)
    if age < -300:
        refuse("event_time in the future")


def check_user(user: dict, at: int, rules) -> None:
    if not set(user) <= HASHED | PLAIN:
        refuse("unknown keys in user_data")
    for key in HASHED & set(user):
        values = user[key] if isinstance(user[key], list) else [user[key]]
        if not values or len(values) != len(set(values)):
            refuse(f"{key}: empty or repeated")
        for value in values:
            if not isinstance(value, str) or not DIGEST.fullmatch(value):
                refuse(f"{key} is no SHA-256")
            if value == EMPTY_DIGEST:
                refuse(f"{key} is the digest of nothing")
            if value in rules.double_digests:
                refuse(f"{key} is hashed twice")
    for key in PLAIN & set(user):
        if DIGEST.fullmatch(str(user[key])):
            refuse(f"{key} must not be hashed")
    for key, form, subcode in (("fbc", CLICK, 2804001), ("fbp", BROWSER, None)):
        if key in user:
            match = form.fullmatch(str(user[key]))
            if not match or int(match[1]) / 1000 > at + 86_400:
                refuse(f"{key} is malformed", 100, subcode)
    if "client_ip_address" in user:
        check_address(user["client_ip_address"])
    if any(set(user) <= weak for weak in FORBIDDEN_SETS):
        refuse("not enough to know a customer by", 100, 2804050)


def check_address(text) -> None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        refuse("client_ip_address is none")
    if not address.is_global:
        refuse("client_ip_address is not public")


def check_limited(event, user) -> None:
    options = event.get("data_processing_options")
    country = event.get("data_processing_options_country")
    state = event.get("data_processing_options_state")
    if options is None:
        if country is not None or state is not None:
            refuse("country or state without options")
        return
    if options not in ([], ["LDU"]):
        refuse("data_processing_options")
    if options == ["LDU"]:
        if country not in (0, 1) or type(state) is not int:
            refuse("LDU without country and state")
        if state == 0 and "client_ip_address" not in user:
            refuse("LDU by location without an address")


def check_custom(custom, name: str) -> None:
    if name == "Purchase" and (not custom or "value" not in custom):
        refuse("Purchase lacks a value", 100, 2804009)
    if name == "Purchase" and "currency" not in custom:
        refuse("Purchase lacks a currency", 100, 2804010)
    if custom is None:
        return
    if not isinstance(custom, dict):
        refuse("custom_data")
    if ("value" in custom) != ("currency" in custom):
        refuse("value and currency go together")
    if "value" in custom and (type(custom["value"]) not in (int, float) or custom["value"] < 0):
        refuse("value")
    if "currency" in custom and custom["currency"] not in CURRENCIES:
        refuse("currency")
    contents = custom.get("contents", [])
    if not isinstance(contents, list) or any(
            not isinstance(item, dict) or not isinstance(item.get("id"), str) for item in contents):
        refuse("contents need ids")
    if not isinstance(custom.get("content_ids", []), list):
        refuse("content_ids must be a list")
    if custom.get("content_type", "product") not in ("product", "product_group"):
        refuse("content_type")
    if type(custom.get("num_items", 1)) is not int:
        refuse("num_items")
