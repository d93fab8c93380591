//! Sections of a page that share the room there is, and say how many of their rows they had to leave out.

use crate::report::plural;

/// What a section keeps free for saying how much it leaves out.
const RESERVE: usize = 100;

/// A heading, and rows that can be left out from the end.
pub struct Section {
    head: String,
    rows: Vec<String>,
    what: &'static str,
}

impl Section {
    /// A list whose rows are items; `what` each of them is.
    pub fn list(heading: &str, rows: Vec<String>, what: &'static str) -> Self {
        Self { head: format!("\n### {heading}\n"), rows, what }
    }

    /// A table whose rows are lines; `what` each of them is.
    pub fn table(columns: &[String], rows: Vec<String>, what: &'static str) -> Self {
        let rule = "|---".repeat(columns.len());
        Self { head: format!("\n| {} |\n{rule}|\n", columns.join(" | ")), rows, what }
    }

    /// How many bytes it takes as a whole.
    fn size(&self) -> usize {
        if self.rows.is_empty() {
            0
        } else {
            self.head.len() + self.rows.iter().map(|row| row.len() + 1).sum::<usize>()
        }
    }

    /// Appends as many rows as fit in `room`, and says how many do not.
    fn write(&self, out: &mut String, room: usize) {
        let is_whole = self.size() <= room;
        if self.rows.is_empty() || (!is_whole && room < RESERVE) {
            return;
        }
        let end = out.len() + room - if is_whole { 0 } else { RESERVE };
        if out.len() + self.head.len() <= end {
            out.push_str(&self.head);
        }
        let mut shown = 0;
        for row in &self.rows {
            if out.len() + row.len() + 1 > end {
                break;
            }
            out.push_str(row);
            out.push('\n');
            shown += 1;
        }
        if !is_whole {
            let left_out = plural(self.rows.len() - shown, self.what);
            out.push_str(&format!("\n… and {left_out} more, which the JSON report has.\n"));
        }
    }
}

/// The title and the sections in at most `limit` bytes.
pub fn page(title: String, sections: &[Section], limit: usize) -> String {
    let mut out = title;
    let sizes: Vec<_> = sections.iter().map(Section::size).collect();
    let shares = shares(&sizes, limit.saturating_sub(out.len()));
    for (section, share) in sections.iter().zip(shares) {
        section.write(&mut out, share);
    }
    out
}

/// How `total` is shared: nobody gets more than it wants, and nobody less than others while it wants more.
fn shares(wanted: &[usize], total: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..wanted.len()).collect();
    order.sort_by_key(|index| wanted[*index]);
    let (mut shares, mut left) = (vec![0; wanted.len()], total);
    for (rank, index) in order.iter().enumerate() {
        let fair = left / (wanted.len() - rank);
        shares[*index] = wanted[*index].min(fair);
        left -= shares[*index];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_section_does_not_need_goes_to_the_others() {
        assert_eq!(shares(&[10, 1000, 50], 100), [10, 45, 45]);
        assert_eq!(shares(&[10, 1000, 50], 2000), [10, 1000, 50]);
        assert_eq!(shares(&[5, 5], 0), [0, 0]);
    }

    #[test]
    fn a_page_never_exceeds_its_limit_and_counts_what_it_leaves_out() {
        let rows = |n: usize| (0..n).map(|i| format!("- row {i} äöü")).collect::<Vec<_>>();
        for limit in [600, 1000, 5000, 100_000] {
            let sections = [Section::list("One", rows(500), "finding"), Section::list("Two", rows(3), "hint")];
            let page = page("## title\n".into(), &sections, limit);
            assert!(page.len() <= limit, "{limit}: {}", page.len());
            let shown = page.matches("- row").count();
            assert_eq!(page.contains("more, which"), shown < 503, "{limit}");
            assert!(page.ends_with('\n') && page.contains("### Two"));
            if limit == 1000 {
                assert!(page.contains(&format!("… and {} findings more", 503 - shown)), "{page}");
            }
        }
    }
}
