//! As much of the ELF format as it takes to follow a pointer in the data of an executable: 64 bits, little-endian.

/// How much of a file is looked at for its headers.
pub(super) const HEAD: usize = 4096;

/// `e_machine`, and which type its relocations have that are the load address and an addend.
const MACHINES: [(u16, u64); 3] = [(62, 8), (183, 1027), (243, 3)]; // x86-64, AArch64, RISC-V
const PROGRAM_HEADER: usize = 56;
const LOAD: u32 = 1;

/// Where the parts of an executable are loaded to.
#[derive(Debug, Clone, Default)]
pub(super) struct Elf {
    /// The type of relative relocations; none on other machines.
    pub relative: Option<u64>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    offset: u64,
    address: u64,
    size: u64,
}

impl Elf {
    /// Reads the headers at the beginning of a file. Whatever is no such executable has no segments.
    pub(super) fn read(head: &[u8]) -> Self {
        Self::headers(head).unwrap_or_default()
    }

    fn headers(head: &[u8]) -> Option<Self> {
        // Class 2 is 64 bits, data 1 is little-endian.
        if head.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let machine = short(head, 18)?;
        let relative = MACHINES.iter().find(|(known, _)| *known == machine).map(|(_, relative)| *relative);
        let (table, count) = (usize::try_from(word(head, 32)?).ok()?, usize::from(short(head, 56)?));
        let headers = head.get(table..)?.chunks_exact(PROGRAM_HEADER).take(count);
        let segment = |header: &[u8]| {
            let is_load = u32::from_le_bytes(header.get(..4)?.try_into().ok()?) == LOAD;
            is_load.then_some(())?;
            Some(Segment { offset: word(header, 8)?, address: word(header, 16)?, size: word(header, 32)? })
        };
        Some(Self { relative, segments: headers.filter_map(segment).collect() })
    }

    /// Where in the file the byte stands that is loaded to `address`.
    pub(super) fn offset(&self, address: u64) -> Option<u64> {
        let within = |segment: &Segment| {
            let into = address.checked_sub(segment.address).filter(|into| *into < segment.size)?;
            segment.offset.checked_add(into)
        };
        self.segments.iter().find_map(within)
    }

    /// Where the byte is loaded to that stands at `offset` in the file.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        let within = |segment: &Segment| {
            let into = offset.checked_sub(segment.offset).filter(|into| *into < segment.size)?;
            segment.address.checked_add(into)
        };
        self.segments.iter().find_map(within)
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
