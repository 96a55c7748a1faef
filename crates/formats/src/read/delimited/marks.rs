//! Where fields, rows and quotes lie in a block: each piece that is read is looked through once, 64 bytes at a time.

use wide::u8x16;

/// The places of delimiters, line ends and quotes in a block of delimited text, consumed row by row.
pub(super) struct Marks {
    delimiter: u8,
    /// Where the row begins.
    row: usize,
    /// The places of delimiters and line ends.
    field_ends: Vec<u32>,
    fields_passed: usize,
    /// Which of them are line ends.
    line_ends: Vec<u32>,
    lines_passed: usize,
    quotes: Vec<u32>,
    quotes_passed: usize,
}

impl Marks {
    pub(super) fn of(delimiter: u8) -> Self {
        Marks {
            delimiter,
            row: 0,
            field_ends: Vec::new(),
            fields_passed: 0,
            line_ends: Vec::new(),
            lines_passed: 0,
            quotes: Vec::new(),
            quotes_passed: 0,
        }
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Adds the marks of a piece that was read to the place `start`.
    pub(super) fn find(&mut self, start: usize, piece: &[u8]) {
        let (blocks, rest) = piece.as_chunks::<64>();
        let mut place = start as u32;
        for block in blocks {
            self.find_in(place, block);
            place += 64;
        }
        // Bytes of zero are none of the marks.
        let mut last = [0; 64];
        last.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
        self.find_in(place, &last);
    }

    #[inline]
    fn find_in(&mut self, place: u32, block: &[u8; 64]) {
        let (parts, _) = block.as_chunks::<16>();
        let of = |byte: u8| {
            let sought = u8x16::splat(byte);
            let bits = |part: &[u8; 16]| u64::from(u8x16::new(*part).simd_eq(sought).to_bitmask());
            (0..).step_by(16).zip(parts).fold(0, |found, (shift, part)| found | bits(part) << shift)
        };
        let line_ends = of(b'\n');
        let field_ends = of(self.delimiter) | line_ends;
        let fields = self.field_ends.len() as u32;
        each_bit(line_ends, |bit| self.line_ends.push(fields + (field_ends & ((1 << bit) - 1)).count_ones()));
        each_bit(field_ends, |bit| self.field_ends.push(place + bit));
        each_bit(of(b'"'), |bit| self.quotes.push(place + bit));
    }

    /// The row begins at `start`, after a line end or in a row that is passed over.
    #[inline]
    pub(super) fn pass(&mut self, start: usize) {
        self.row = start;
        while let Some(last) = self.line_ends.get(self.lines_passed).copied().map(|line_end| line_end as usize)
            && self.field_ends.get(last).is_some_and(|place| (*place as usize) < start)
        {
            self.lines_passed += 1;
            self.fields_passed = last + 1;
        }
        while self.quotes.get(self.quotes_passed).is_some_and(|place| (*place as usize) < start) {
            self.quotes_passed += 1;
        }
    }

    /// The block was moved, so that it begins with the row.
    pub(super) fn moved(&mut self) {
        let row = self.row as u32;
        let fields = self.field_ends.partition_point(|place| *place < row);
        self.field_ends.drain(..fields);
        self.line_ends.drain(..self.lines_passed);
        self.quotes.drain(..self.quotes_passed);
        self.field_ends.iter_mut().chain(&mut self.quotes).for_each(|place| *place -= row);
        self.line_ends.iter_mut().for_each(|line_end| *line_end -= fields as u32);
        (self.row, self.fields_passed, self.lines_passed, self.quotes_passed) = (0, 0, 0, 0);
    }

    /// Where the row ends if it goes on over so many line ends, counted from its start.
    #[inline]
    pub(super) fn row_end(&self, line_ends: usize) -> Option<usize> {
        let last = *self.line_ends.get(self.lines_passed + line_ends)?;
        Some(*self.field_ends.get(last as usize)? as usize - self.row)
    }

    /// Whether there is a quote in the row, which ends at `end`.
    #[inline]
    pub(super) fn is_quoted(&self, end: usize) -> bool {
        self.quotes.get(self.quotes_passed).is_some_and(|place| (*place as usize) < self.row + end)
    }

    /// Where the row begins and where its fields end, if there is no quote in it.
    #[inline]
    pub(super) fn fields(&self) -> (u32, &[u32]) {
        let last = self.line_ends.get(self.lines_passed).map_or(0, |last| *last as usize);
        (self.row as u32, self.field_ends.get(self.fields_passed..=last).unwrap_or_default())
    }
}

/// Calls `found` with the place of each bit that is set, lowest first.
#[inline]
fn each_bit(mut bits: u64, mut found: impl FnMut(u32)) {
    while bits != 0 {
        found(bits.trailing_zeros());
        bits &= bits - 1;
    }
}
