"""Reads mails with Python's own parser, which avstem did not write, and sums their tables anew.

Usage: read_mail.py FILE...
Prints one JSON object a file. Ends with an error when a mail is malformed, or when a table does not add up.
"""

import decimal
import email
import email.policy
import hashlib
import html.parser
import json
import pathlib
import re
import sys

KNOWN_TAGS = {
    "html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "ul", "li", "a", "table", "thead", "tbody", "tr", "th",
    "td",
}
AMOUNT = re.compile(r"-?\d{1,3}(?:[\u00a0 .,]\d{3})*[.,]\d{2}")


class Page(html.parser.HTMLParser):
    """The tables of a page, its tags, its attributes, and its text as a reader sees it."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.links, self.tables, self.text = set(), set(), [], [], []
        self.cell = None

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attributes)
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append("".join(self.cell))
            self.cell = None

    def handle_data(self, data):
        self.text.append(data)
        if self.cell is not None:
            self.cell.append(data)


def minor(text):
    """An amount of two decimals, as any of the languages writes it."""
    assert AMOUNT.fullmatch(text), text
    sign = -1 if text.startswith("-") else 1
    digits = re.sub(r"\D", "", text)
    return sign * int(decimal.Decimal(digits))


def amounts(rows):
    return [[cells[0], minor(cells[1])] for cells in rows if len(cells) == 2 and AMOUNT.fullmatch(cells[1])]


def read(path):
    raw = path.read_bytes()
    assert b"\r\n" in raw and not re.search(rb"(?<!\r)\n", raw), "a line that does not end in CRLF"
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "a line that is too long"
    message = email.message_from_bytes(raw, policy=email.policy.default)
    page = Page()
    letter = message.get_body(("html",)).get_content()
    page.feed(letter)
    page.close()
    plain = message.get_body(("plain",)).get_content()
    assert not [part.defects for part in message.walk() if part.defects], "defects"
    assert page.tags <= KNOWN_TAGS, page.tags - KNOWN_TAGS
    balance = amounts(page.tables[0]) if page.tables else []
    if len(balance) > 2 and "=" not in balance[0][0]:
        # Terms sum to the net, which is the row before what is carried over and paid out.
        nets = [place for place in range(1, len(balance)) if balance[place][1] == sum(one for _, one in balance[:place])]
        assert nets, balance
    # Both twins say the same: every amount and word of a table stands in the text.
    squeezed = re.sub(r"\s+", " ", plain.replace("\u00a0", " "))
    for cell in (cell for table in page.tables for row in table for cell in row if len(cell) <= 60):
        assert re.sub(r"\s+", " ", cell.replace("\u00a0", " ")).strip() in squeezed, cell
    return {
        "subject": str(message["Subject"]),
        "from": [str(one) for one in message["From"].addresses],
        "to": [one.addr_spec for one in message["To"].addresses],
        "names": [one.display_name for one in message["To"].addresses],
        "headers": sorted(name.lower() for name in message.keys()),
        "values": {name: str(message[name]) for name in message.keys()},
        "balance": balance,
        "tables": page.tables,
        "tags": sorted(page.tags),
        "attributes": sorted(page.attributes),
        "links": page.links,
        "shown": "".join(page.text),
        "plain": plain,
        "attachments": [
            {
                "name": part.get_filename(),
                "type": part.get_content_type(),
                "sha256": hashlib.sha256(part.get_content()).hexdigest(),
            }
            for part in message.iter_attachments()
        ],
    }


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        print(json.dumps(read(path)))


main()
