"""Makes the fonts of this folder from the npm package @fontsource-variable/noto-sans 5.3.0 (OFL, see OFL.txt).

Usage: pip install fonttools==4.68.0 brotli && python subset.py <folder of the unpacked package>
"""

import sys

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

WIDTH = 85
# Latin-1 and Latin Extended-A are every Nordic and Sámi alphabet; the rest is punctuation that references have.
SIGNS = [*range(0x20, 0x7F), *range(0xA0, 0x180), 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026]
SIGNS += [0x20AC, 0x2212, 0xFFFD]
BOLD = [sign for sign in SIGNS if sign < 0x100 or sign in (0x160, 0x161, 0x17D, 0x17E, 0x2013, 0x2026, 0x20AC, 0x2212, 0xFFFD)]


def part(folder, name, weight, signs):
    font = TTFont(f"{folder}/files/noto-sans-{name}-standard-normal.woff2")
    font = instantiateVariableFont(font, {"wght": weight, "wdth": WIDTH})
    options = Options()
    options.layout_features, options.hinting, options.glyph_names = [], False, False
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "STAT", "DSIG", "gasp", "prep", "meta", "MVAR", "HVAR"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[sign for sign in signs if sign in font.getBestCmap()])
    subsetter.subset(font)
    font.flavor = None
    return font


def main(folder):
    for style, weight, signs in (("Regular", 400, SIGNS), ("Bold", 650, BOLD)):
        latin = part(folder, "latin", weight, signs)
        more = part(folder, "latin-ext", weight, [sign for sign in signs if sign not in latin.getBestCmap()])
        paths = []
        for number, font in enumerate((latin, more)):
            paths.append(f"/tmp/part-{number}.ttf")
            font.save(paths[-1])
        font = Merger().merge(paths)
        names = {1: "Noto Sans SemiCondensed", 2: style, 4: f"Noto Sans SemiCondensed {style}", 6: f"NotoSans-SemiCondensed{style}"}
        for record in list(font["name"].names):
            if record.nameID in names:
                record.string = names[record.nameID]
            elif record.nameID not in (0, 13, 14):
                font["name"].names.remove(record)
        missing = [hex(sign) for sign in signs if sign not in font.getBestCmap()]
        widths = {font["hmtx"][font.getBestCmap()[ord(digit)]][0] for digit in "0123456789"}
        assert len(widths) == 1, "digits are not tabular"
        # The same bytes whenever it is made.
        font["head"].created = font["head"].modified = 0
        font.recalcTimestamp = False
        font.save(f"NotoSans-SemiCondensed{style}.ttf")
        print(style, len(font.getGlyphOrder()), "glyphs; missing", missing, "digits", widths)


main(sys.argv[1])
