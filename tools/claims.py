"""The numbers that a lesson's text states, wherever they stand in it, and the numbers that its cells show."""

import ast
import functools
import html
import itertools
import math
import re
import typing
import unicodedata

import mistune

import notebooks

parse = functools.cache(mistune.create_markdown(renderer=None, plugins=["table", "math", "url"]).parse)

# 1,000 or 0.25 or 1e-9; with a minus sign, as a percentage, or with a unit right behind it (300MB); but not 0.1.0.
NUMBER = re.compile(
    r"(?<![\w.])([-−](?=[\d.]))?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)(?:e([-+]?\d+))?(\s?%|\s?percent\b)?"
    r"(?!\d|\.\d)",
    re.I,
)
# Digits that state no quantity, and that other rules see to: the number of a place in the course, the year of a work.
PLACE = r"\d{1,2}(?:\.\d{1,2}){0,2}(?!\d|\s?%|[.,]\d|e\d)"
PLACES = re.compile(rf"\b(section|exercise|lesson)s?\s({PLACE}(?:(?:,|,? and| to| or)\s{PLACE})*)", re.I)
YEAR = re.compile(r"(?<=[(\s])(?:1[6-9]|20)\d\d[a-z]?(?=[;)])")
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
TEENS = ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
ONES = ["", "-one", "-two", "-three", "-four", "-five", "-six", "-seven", "-eight", "-nine"]
WORDS = dict(zip(TEENS, itertools.count(11))) | {
    ten + one: 20 + i for i, (ten, one) in enumerate(itertools.product(TENS, ONES))
}
WORD = re.compile(rf"\b(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b", re.I)


class Claim(typing.NamedTuple):
    """A number in a text: as written, its value, by how much it may be rounded, and whether it is a percentage."""

    written: str
    value: float
    rounded: float
    percent: bool

    def shown_by(self, number):
        """Whether ``number`` from a cell, rounded as the text rounds, is this one (or, as a share, this percentage)."""
        number = number if self.value < 0 else abs(number)
        if not self.rounded:
            return number == self.value or (abs(self.value) >= 100 and round(number) == self.value)
        return abs(number * (100 if self.percent else 1) - self.value) <= self.rounded * (1 + 1e-6) + 1e-12


def claims(text):
    """Yield every decimal, percentage, power and whole number from 10 on that a text states, in digits or in words."""
    text = YEAR.sub(" ", PLACES.sub(" ", unicodedata.normalize("NFKC", text.replace("²", "^2").replace("³", "^3"))))
    for match in NUMBER.finditer(text):
        minus, digits, power, percent = match.groups()
        value = float(digits.replace(",", "")) * (-1 if minus else 1) * 10.0 ** min(int(power or 0), 300)
        decimals = len(digits.partition(".")[2])
        if "." in digits or power or percent or abs(value) >= 10:
            whole = not (decimals or power or percent)
            yield Claim(
                match[0].strip(),
                value,
                0 if whole else 0.5 * 10.0 ** (min(int(power or 0), 300) - decimals),
                bool(percent),
            )
    for match in WORD.finditer(text):
        yield Claim(match[0], WORDS[match[0].lower()], 0, False)


def walk(tokens):
    """Yield all tokens, those inside others included."""
    for token in tokens:
        yield token
        yield from walk(token.get("children", []))


def passages(tokens):
    """Yield the text of each paragraph, heading, table cell, formula and block of code, as a reader sees it."""
    for token in tokens:
        kind, children, raw = token["type"], token.get("children", []), token.get("raw", "")
        if kind == "heading":
            yield re.sub(r"^\d+(?:\.\d+)? (?:· )?", "", line(children))
        elif kind == "block_math":
            yield plain(raw)
        elif kind == "block_html":
            yield html.unescape(re.sub(r"<[^>]*>", " ", raw))
        elif kind == "block_code":
            info = (token.get("attrs") or {}).get("info") or ""
            if info == "mermaid":
                yield re.sub(r"^\s*(?:%%|linkStyle|classDef|style\b).*$", "", raw, flags=re.M)
            else:
                yield "\n".join(row for row in raw.splitlines() if row.strip() not in deployed())
        elif any(child["type"] in INLINE for child in children):
            yield line(children)
        else:
            yield from passages(children)


INLINE = {"text", "codespan", "inline_math", "emphasis", "strong", "link", "inline_html", "image"}


def line(tokens):
    """Return inline tokens as one line of text."""
    words = []
    for token in tokens:
        kind, raw = token["type"], token.get("raw", "")
        inner = line(token["children"]) if "children" in token else html.unescape(raw)
        words.append(plain(raw) if kind == "inline_math" else " " if kind in ("softbreak", "linebreak") else inner)
    return "".join(words)


def plain(formula):
    r"""Return a formula with its numbers as text writes them: 4 \cdot 10^{-18} is 4e-18, 1{,}000 is 1,000."""
    formula = re.sub(r"\{,\}|(?<=\d)\\,(?=\d{3})", ",", formula).replace(r"\%", "%")
    formula = re.sub(r"(\d)\s*\\(?:cdot|times)\s*10\s*\^\s*\{?(-?\d+)\}?", r"\1e\2", formula)
    formula = re.sub(r"(?<![\d.])10\s*\^\s*\{?(-?\d+)\}?", r"1e\1", formula)
    return re.sub(r"\\[,;:! ]", " ", formula)


@functools.cache
def deployed():
    """Return the lines of the files that lessons quote."""
    return {row.strip() for path in notebooks.ROOT.glob("deploy/*") for row in path.read_text("utf-8").splitlines()}


@functools.cache
def tree(source):
    """Return the syntax tree of Python code, or None where it is none."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.cache
def numbers_in_code(source):
    """Return the numbers that code computes with; comments, docstrings and other texts are no code."""
    found = set()
    for node in ast.walk(tree(source) or ast.Module([], [])):
        sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
        node = node.operand if sign < 0 else node
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) < 1e300:
            found.add(float(sign * node.value))
    return found


@functools.cache
def numbers_in(text):
    """Return the numbers in an output: 1,000 is one number, 1e-4 is 0.0001, and 5% is 5 and also 0.05."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    found = set()
    for digits, percent in re.findall(
        r"((?:(?<![\w.)\]])[-−])?(?<![\d.])\d+(?:\.\d*)?(?:e[-+]?\d+)?)(\s?%)?", text, re.I
    ):
        number = float(digits.replace("−", "-"))
        found |= {number, number / 100} if percent else {number}
    return {number for number in found if math.isfinite(number)}
