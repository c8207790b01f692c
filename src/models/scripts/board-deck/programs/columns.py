"""Decides what each column is from the values in it: date, number, boolean, category, id or free text."""

import re
from collections import Counter

from values import BODY, CODES, SYMBOLS, decimal_vote, folded, is_missing, parse_bool, parse_date, parse_number

# From this share of readable values on, a column is of a type; the rest of it is reported as unreadable.
TYPED_SHARE = 0.8
CATEGORIES_MAX = 200
ID_NAME = re.compile(r"(?i)(^|[\s_\-(])(id|ids|no|nr|number|nummer|code|key|uuid|ref|reference|zip|plz|postcode|phone|sku|iban|ticket)([\s_\-).]|$)|[a-z]I[dD]$")  # fmt: skip
YEAR_NAME = re.compile(r"(?i)\b(year|jahr|année|año|yr)\b")


def infer_column(name, values):
    """The column's description, as a plain dict that goes into profile.json. `values` are strings."""
    counts = Counter(values)
    present = Counter({text: n for text, n in counts.items() if not is_missing(text)})
    filled = sum(present.values())
    column = {
        "name": name,
        "type": "empty",
        "filled": filled,
        "missing": sum(counts.values()) - filled,
        "distinct": len(present),
        "examples": [text.strip()[:40] for text, _ in present.most_common(3)],
    }
    if not filled:
        return column
    column |= as_boolean(present, filled) or as_date(present, filled) or as_number(name, present, filled) or as_text(name, present, filled)
    return column


def reader_of(column):
    """A function from text to a value, None where it cannot be read. Missing text never reaches it."""
    kind = column["type"]
    if kind == "date":
        return lambda text: parse_date(text, column["day_first"], serials=True)
    if kind == "number":
        return lambda text: plausible(parse_number(text, column["decimal"]), column["kind"])
    if kind == "boolean":
        return parse_bool
    if kind == "category":
        return lambda text: column["groups"].get(text)
    return lambda text: " ".join(text.split()) if kind == "id" else text.strip().replace("\r\n", "\n")


def plausible(number, kind):
    """A percentage among amounts, or an amount among percentages, belongs to another column."""
    if number and (number.percent and kind != "percent" or number.currency and kind != "currency"):
        return None
    return number


def as_boolean(present, filled):
    readable = sum(n for text, n in present.items() if parse_bool(text) is not None)
    kinds = {parse_bool(text) for text in present} - {None}
    if readable < filled * 0.95 or (len(kinds) < 2 and filled < 20):
        return None
    return {"type": "boolean", "unreadable": filled - readable, "groups": {"Yes": "Yes", "No": "No"}}


def as_date(present, filled):
    strict = {text: date for text in present if (date := parse_date(text, {}))}
    shaped = sum(present[text] for text in strict)
    serials = sum(n for text, n in present.items() if text not in strict and parse_date(text, {}, serials=True))
    if shaped < filled * 0.3 or shaped + serials < filled * TYPED_SHARE:
        return None
    day_first, doubt = day_orders(present, strict)
    kinds = Counter()
    for text, n in present.items():
        date = parse_date(text, day_first, serials=True)
        kinds[date.kind if date else "unreadable"] += n
    return {
        "type": "date",
        "day_first": day_first,
        "order_assumed": doubt,
        "doubtful": sum(present[text] for text, date in strict.items() if date.doubtful in doubt),
        "unreadable": kinds.pop("unreadable", 0),
        "formats": dict(kinds.most_common()),
    }


def day_orders(present, strict):
    """For each separator: is the day first? Voted by the dates that allow one reading only; also what had to be assumed."""
    votes = {"/": Counter(), "-": Counter(), ".": Counter()}
    for text, date in strict.items():
        mark = date.kind[1] if len(date.kind) == 5 else ""
        if mark in votes and not date.doubtful:
            votes[mark][date.kind[0]] += present[text]
    dotted = any(date.kind == "d.m.y" for date in strict.values())
    day_first, assumed = {".": votes["."]["d"] >= votes["."]["m"]}, {}
    for mark in "/-":
        d, m = votes[mark]["d"], votes[mark]["m"]
        day_first[mark] = d > m if d != m else dotted
        if d == m and any(date.doubtful == mark for date in strict.values()):
            assumed[mark] = "day first" if day_first[mark] else "month first"
    return day_first, assumed


def as_number(name, present, filled):
    decimal = usual_decimal(present)
    numbers = {text: number for text in present if (number := parse_number(text, decimal))}
    readable = sum(present[text] for text in numbers)
    if readable < filled * TYPED_SHARE:
        return None
    if any(re.fullmatch(r"0\d+", text.strip()) for text in numbers):
        return None  # leading zeros are part of a code
    total = lambda test: sum(present[text] for text, number in numbers.items() if test(number))  # noqa: E731
    units = Counter(number.unit for number in numbers.values() if number.unit)
    if len(units) > 2:
        return None
    currencies = Counter()
    for text, number in numbers.items():
        currencies[number.currency] += present[text]
    marked = Counter({code: n for code, n in currencies.items() if code})
    in_name = currency_named(name)
    whole = all(float(number.value).is_integer() for number in numbers.values() if not number.percent)
    percent = total(lambda number: number.percent)
    kind = "percent" if percent > readable * 0.1 else "currency" if marked.total() > readable * 0.02 or (in_name and not marked) else "integer" if whole else "decimal"
    description = {
        "type": "number",
        "kind": kind,
        "decimal": decimal,
        "currency": (marked.most_common(1)[0][0] if marked else in_name) if kind == "currency" else "",
        "currencies": dict(marked.most_common()),
        "unit": units.most_common(1)[0][0] if units else "",
        "doubtful": total(lambda number: bool(number.doubtful)),
        "unreadable": filled - readable,
        "styles": number_styles(present, numbers),
    }
    if kind == "integer" and is_id(name, present, numbers, filled):
        return {"type": "id", "unreadable": 0}
    if kind == "integer" and is_year(name, numbers):
        return {"type": "category", "unreadable": 0, "groups": {text: text.strip() for text in present}}
    return description


def currency_named(name):
    """The currency that a header such as "Amount (€)" or "Net USD" gives, or ""."""
    for symbol, code in SYMBOLS.items():
        if symbol in name:
            return code
    words = re.findall(r"[A-Z]{3}", name)
    return next((word for word in words if word.casefold() in CODES), "")


def usual_decimal(present):
    votes, doubtful = Counter(), Counter()
    for text, n in present.items():
        vote = decimal_vote(text)
        votes[vote] += n
        body = BODY.search(text)
        if not vote and body:
            mark = re.search(r"[.,]", body.group())
            doubtful[mark.group() if mark else ""] += n
    if votes["."] != votes[","]:
        return "." if votes["."] > votes[","] else ","
    # Nothing but groups of three, such as "1.234" throughout: then the mark groups thousands.
    return "," if doubtful["."] > doubtful[","] and doubtful["."] >= 3 else "."


def number_styles(present, numbers):
    styles = Counter()
    for text, number in numbers.items():
        bare = text.strip()
        if number.currency:
            styles["with a currency mark"] += present[text]
        elif bare.startswith("("):
            styles["in brackets for negative"] += present[text]
        elif re.search(r"\d\s?[kKmMbB]\w*$", bare):
            styles["shortened, such as 12k"] += present[text]
        elif re.search(r",\d{1,2}\D*$|\.\d{3},", bare):
            styles["decimal comma"] += present[text]
        elif "," in bare:
            styles["thousands comma"] += present[text]
        else:
            styles["plain"] += present[text]
    return dict(styles.most_common())


def is_id(name, present, numbers, filled):
    unique = len(present) / filled
    values = [number.value for number in numbers.values()]
    if ID_NAME.search(name) and unique > 0.5 and filled > 3:
        return True
    # Consecutive numbers, each once, count the rows rather than measure anything.
    return filled >= 10 and unique > 0.98 and max(values) - min(values) < filled * 1.2 and min(values) >= 0


def is_year(name, numbers):
    inside = all(1900 <= number.value <= 2100 for number in numbers.values())
    return inside and len(numbers) <= 60 and bool(YEAR_NAME.search(name))


def as_text(name, present, filled):
    lengths = sum(len(text.strip()) * n for text, n in present.items()) / filled
    groups = merge_spellings(present)
    distinct = len(set(groups.values()))
    spread = distinct / filled
    worded = sum(n for text, n in present.items() if " " in text.strip()) / filled
    if ID_NAME.search(name) and spread > 0.5 and filled > 3 or (spread > 0.9 and filled >= 12 and worded < 0.2 and lengths < 40):
        return {"type": "id", "unreadable": 0}
    if lengths > 60 or (spread > 0.5 and filled >= 12) or any(len(text) > 120 for text in groups.values()):
        return {"type": "text", "unreadable": 0}
    return {"type": "category", "unreadable": 0, "groups": groups}


def merge_spellings(present):
    """Maps each text as written to the spelling its group goes by: the commonest one."""
    by_key = {}
    for text, n in present.items():
        by_key.setdefault(folded(text), Counter())[re.sub(r"\s+", " ", text).strip()] += n
    best = {key: max(spellings.items(), key=lambda pair: (pair[1], pair[0]))[0] for key, spellings in by_key.items()}
    totals = {key: spellings.total() for key, spellings in by_key.items()}
    merged = typos(totals) if len(by_key) <= CATEGORIES_MAX else {}
    return {text: best[merged.get(folded(text), folded(text))] for text in present}


def typos(totals):
    """Rare keys that are one slip away from a common one. Digits must agree: "line 1" is not a slip for "line 2"."""
    common = [key for key, n in totals.items() if n >= 10]
    merged = {}
    for key, n in totals.items():
        near = [other for other in common if other != key and totals[other] >= n * 20 and one_slip(key, other)]
        if near and len(key) >= 4:
            merged[key] = max(near, key=lambda other: totals[other])
    return merged


def one_slip(a, b):
    if abs(len(a) - len(b)) > 1 or a[:1] != b[:1] or re.findall(r"\d+", a) != re.findall(r"\d+", b):
        return False
    if len(a) == len(b):
        differing = [i for i in range(len(a)) if a[i] != b[i]]
        swapped = len(differing) == 2 and a[differing[0]] == b[differing[1]] and a[differing[1]] == b[differing[0]]
        return (len(differing) == 1 and len(a) >= 6) or (swapped and differing[1] == differing[0] + 1)
    short, long = sorted((a, b), key=len)
    return any(short == long[:i] + long[i + 1 :] for i in range(len(long)))
