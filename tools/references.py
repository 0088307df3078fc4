"""List what the lessons say stands elsewhere, for a person to look up: `python tools/references.py [04]`.

A line for each "(lesson 3)" and "section 2.4": where it stands, the words around it, and the heading it points to. A "?"
marks those whose place holds hardly one of these words: there the reader is most likely sent to what is not taught.
The gate holds that the places exist; whether they hold what is promised, only a reader knows.
"""

import functools
import re
import sys

import claims
import gate

import notebooks

COMMON = {
    "lesson",
    "section",
    "sections",
    "that",
    "this",
    "with",
    "from",
    "what",
    "here",
    "there",
    "they",
    "will",
    "only",
    "such",
}


@functools.cache
def lessons():
    """Return a dict from lessons' numbers to (gate.Lesson, dict from sections' numbers to (heading, their text))."""
    found = {}
    for path in notebooks.lessons():
        lesson = gate.Lesson(path.name, notebooks.read(path))
        parts = {}
        for i, level, text in lesson.headings:
            if level == 2:
                cells = lesson.section(i)[1]
                parts[text.partition(" ")[0]] = (text, "\n".join(cell.source for cell in cells).lower())
        found[lesson.number] = lesson, parts
    return found


def references(lesson):
    """Yield (cell index, kind, number, the words around it) for each section and lesson that a lesson's text names."""
    for i, _ in lesson.of_type("markdown"):
        if lesson.section(i)[0] not in (gate.ARTICLE, "Further reading"):
            for sentence in lesson.sentences(i):
                for match in claims.PLACES.finditer(sentence):
                    before = re.split(r"[.;:!?]\s", sentence[: match.start()])[-1][-90:]
                    around = f"{before}[{match[0]}]{sentence[match.end() :][:60]}"
                    if match[1].lower() != "exercise":
                        yield from (
                            (i, match[1].lower(), number, around) for number in re.findall(claims.PLACE, match[2])
                        )


def place(course, kind, number):
    """Return (heading, text) of a section or lesson."""
    lesson, parts = course[int(number.partition(".")[0])]
    if kind == "section":
        return parts[number]
    return f"{kind} {number}", "\n".join(cell.source for cell in lesson.cells).lower()


def doubtful(around, text):
    """Say whether ``text`` holds at most half of the longer words ``around`` a reference to it."""
    words = set(re.findall(r"[a-z]{4,}", around.lower())) - COMMON
    return 2 * sum(word[:-1].removesuffix("e")[:7] in text for word in words) <= len(words)


def main(chosen=""):
    course = lessons()
    for path in notebooks.lessons(chosen):
        for i, kind, number, around in references(course[int(path.name[:2])][0]):
            heading, text = place(course, kind, number)
            print(f"{'?' if doubtful(around, text) else ' '} {path.name[:2]} cell {i}: … {around} … → {heading}")


if __name__ == "__main__":
    main(*sys.argv[1:])
