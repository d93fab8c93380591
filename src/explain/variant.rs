//! The ways in which a content changes on its way from a commit to a build: ends of lines, a byte order mark, the last
//! line break. Pure.

/// What is done to a content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Variant {
    /// What becomes of the ends of lines.
    pub lines: Lines,
    /// A byte order mark is put on, or taken off.
    pub mark: bool,
    /// A final line break is put on, or taken off.
    pub end: bool,
    /// The letters that `sqlx.toml` names are left out of the checksum: the bytes stay.
    pub ignores: bool,
}

/// What becomes of the ends of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
    /// They stay.
    #[default]
    Kept,
    /// All are LF.
    Lf,
    /// All are CRLF.
    CrLf,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Variant {
    /// Every change of the bytes, the smaller ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        let lines = [Lines::Kept, Lines::Lf, Lines::CrLf];
        let of = move |(mark, end)| lines.map(|lines| Self { lines, mark, end, ignores: false });
        [(false, false), (false, true), (true, false), (true, true)].into_iter().flat_map(of).skip(1)
    }

    /// Whether the bytes stay as they are.
    pub fn keeps_bytes(self) -> bool {
        self.lines == Lines::Kept && !self.mark && !self.end
    }

    /// `content` so changed; nothing where there is nothing to change.
    pub fn of(self, content: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(content.len() + content.len() / 16 + 8);
        let body = content.strip_prefix(MARK).unwrap_or(content);
        if self.mark != content.starts_with(MARK) {
            out.extend(MARK);
        }
        let breaks = match body {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        let body = if self.end && breaks > 0 { &body[..body.len() - breaks] } else { body };
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let ends = text.len() < line.len();
            match self.lines {
                Lines::Kept => out.extend(line),
                Lines::Lf | Lines::CrLf if ends => {
                    out.extend(text.strip_suffix(b"\r").unwrap_or(text));
                    out.extend(if self.lines == Lines::Lf { &b"\n"[..] } else { b"\r\n" });
                }
                Lines::Lf | Lines::CrLf => out.extend(text),
            }
        }
        if self.end && breaks == 0 {
            out.extend(if self.lines == Lines::CrLf { &b"\r\n"[..] } else { b"\n" });
        }
        (out != content).then_some(out)
    }

    /// What a shell pipes a content through to change it so; empty where its bytes stay.
    pub fn pipe(self) -> String {
        let mut script: Vec<&str> = Vec::new();
        match self.lines {
            Lines::Kept => {}
            Lines::Lf => script.push(r"s/\r\n/\n/g"),
            Lines::CrLf => script.push(r"s/\r?\n/\r\n/g"),
        }
        if self.end {
            script.push(match self.lines {
                Lines::Kept => r"s/\r?\n\z// or s/\z/\n/",
                Lines::Lf => r"s/\n\z// or s/\z/\n/",
                Lines::CrLf => r"s/\r\n\z// or s/\z/\r\n/",
            });
        }
        if self.mark {
            script.push(r"s/^\xEF\xBB\xBF// or s/^/\xEF\xBB\xBF/");
        }
        if script.is_empty() { String::new() } else { format!(" | perl -0777 -pe '{}'", script.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_changes_what_it_says_and_the_same_again_through_the_shell() {
        let contents: [&[u8]; 8] = [
            b"a;\nb;\n",
            b"a;\r\nb;\r\n",
            b"a;\r\nb;\nc",
            b"\xef\xbb\xbfa;\n",
            b"a",
            b"a\r",
            b"a\n\n",
            b"a\rb\r\n\r\n",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for content in contents {
            for variant in Variant::all() {
                let Some(changed) = variant.of(content) else { continue };
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("in"), content).unwrap();
                let command = format!("cat in{}", variant.pipe());
                let shell =
                    std::process::Command::new("sh").args(["-c", &command]).current_dir(&folder).output().unwrap();
                assert_eq!(shell.stdout, changed, "{variant:?} of {content:?} by {command}");
                seen.insert(changed);
            }
        }
        for expected in [&b"a;\r\nb;\r\n"[..], b"a;\nb;\n", b"a;\nb;", b"\xef\xbb\xbfa;\nb;\n", b"a;\n", b"a\n"] {
            assert!(seen.contains(expected), "{expected:?}");
        }
        assert_eq!(Variant::all().count(), 11);
        assert_eq!(Variant { lines: Lines::Lf, ..Variant::default() }.of(b"a\n"), None);
    }
}
