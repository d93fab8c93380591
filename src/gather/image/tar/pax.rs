//! The records that extend the header of an entry, in the form of POSIX. Pure.

use super::{Entry, Kind, MOST_REGIONS, TarError};

const BROKEN: TarError = TarError::Broken("an extended header is malformed");

/// What the records say, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pax {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    major: Option<Vec<u8>>,
    minor: Option<Vec<u8>>,
    sparse_name: Option<Vec<u8>>,
    sparse_size: Option<u64>,
    real_size: Option<u64>,
    /// Offsets and lengths by turns.
    map: Vec<u64>,
    has_map: bool,
}

/// What the records say of a sparse file.
pub struct Sparse {
    /// Where its pieces belong; none where the content itself begins with the list.
    pub regions: Option<Vec<(u64, u64)>>,
    /// Its size with the holes.
    pub size: u64,
}

impl Pax {
    /// Reads `LENGTH KEY=VALUE\n`, again and again.
    pub fn parse(mut text: &[u8]) -> Result<Self, TarError> {
        let mut pax = Self::default();
        while !text.is_empty() {
            let blank = text.iter().position(|byte| *byte == b' ').ok_or(BROKEN)?;
            let length = usize::try_from(decimal(&text[..blank])?).map_err(|_| BROKEN)?;
            let record = text.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or(BROKEN)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(BROKEN)?;
            pax.set(&record[..equals], &record[equals + 1..])?;
            text = &text[length..];
        }
        Ok(pax)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        // An empty value leaves what the header says.
        let text = || (!value.is_empty()).then(|| value.to_vec());
        let number = || if value.is_empty() { Ok(None) } else { decimal(value).map(Some) };
        if matches!(key, b"path" | b"linkpath" | b"GNU.sparse.name") && value.contains(&0) {
            return Err(BROKEN);
        }
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.target = text(),
            b"size" => self.size = number()?,
            b"GNU.sparse.major" => self.major = text(),
            b"GNU.sparse.minor" => self.minor = text(),
            b"GNU.sparse.name" => self.sparse_name = text(),
            b"GNU.sparse.size" => self.sparse_size = number()?,
            b"GNU.sparse.realsize" => self.real_size = number()?,
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                // By turns, as they stand.
                let odd = self.map.len() % 2 == 1;
                if odd != (key == b"GNU.sparse.numbytes") || self.map.len() >= 2 * MOST_REGIONS {
                    return Err(BROKEN);
                }
                self.has_map = true;
                self.map.push(decimal(value)?);
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|byte| *byte == b',').filter(|_| !value.is_empty());
                self.map = numbers.take(2 * MOST_REGIONS + 1).map(decimal).collect::<Result<_, _>>()?;
                self.has_map = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts what the records say in the place of what the header says.
    pub fn apply(&self, entry: &mut Entry) {
        if let Some(path) = &self.path {
            entry.path.clone_from(path);
        }
        if let Some(target) = &self.target {
            entry.target.clone_from(target);
        }
        entry.size = self.size.unwrap_or(entry.size);
    }

    /// Whether the entry is a sparse file, and how it is put together.
    pub fn sparse(&self, entry: &mut Entry) -> Option<Sparse> {
        let version = (self.major.as_deref().unwrap_or_default(), self.minor.as_deref().unwrap_or_default());
        let listed = match version {
            (b"0", b"0" | b"1") => false,
            (b"1", b"0") => true,
            (b"", b"") if self.has_map => false,
            _ => return None,
        };
        if let (Some(name), Kind::File) = (&self.sparse_name, entry.kind) {
            entry.path.clone_from(name);
        }
        let pairs = self.map.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or(u64::MAX))).collect();
        let size = self.real_size.filter(|_| listed).or(self.sparse_size).or(self.real_size).unwrap_or(entry.size);
        Some(Sparse { regions: (!listed).then_some(pairs), size })
    }
}

/// A number that is not negative and fits where sizes are kept.
pub fn decimal(text: &[u8]) -> Result<u64, TarError> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).filter(|number| i64::try_from(*number).is_ok()).ok_or(BROKEN)
}
