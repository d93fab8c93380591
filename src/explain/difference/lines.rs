//! A few lines that show in what two texts differ.

/// More lines are not shown.
const MOST_LINES: usize = 10;
/// Longer lines are cut.
const MOST_LETTERS: usize = 160;
/// Beyond so many pairs of lines it is only said what goes and what comes.
const MOST_PAIRS: usize = 1 << 20;

/// The lines that went (`-`) and came (`+`), with one line around them; at most ten, and then how many more there are.
pub fn diff(old: &[u8], new: &[u8]) -> Vec<String> {
    let [old, new] = [old, new].map(String::from_utf8_lossy);
    let [old, new] = [&old, &new].map(|text| text.lines().collect::<Vec<_>>());
    let before = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = old[before..].iter().rev().zip(new[before..].iter().rev());
    let after = rest.take_while(|(one, other)| one == other).count();
    let (old_middle, new_middle) = (&old[before..old.len() - after], &new[before..new.len() - after]);
    if old_middle.is_empty() && new_middle.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    lines.extend(before.checked_sub(1).map(|index| (' ', old[index])));
    lines.extend(middle(old_middle, new_middle));
    lines.extend((after > 0).then(|| (' ', old[old.len() - after])));
    let left_out = lines.len().saturating_sub(MOST_LINES);
    let mut shown: Vec<String> = lines.into_iter().take(MOST_LINES).map(|(sign, line)| shown(sign, line)).collect();
    shown.extend((left_out > 0).then(|| format!("… and {left_out} more")));
    shown
}

fn shown(sign: char, line: &str) -> String {
    let mut letters = line.chars();
    let kept: String = letters.by_ref().take(MOST_LETTERS).collect();
    let cut = if letters.next().is_some() { "…" } else { "" };
    format!("{sign}{kept}{cut}")
}

/// What becomes of the lines between the first and the last difference. Of what stays, only the ends are kept.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        let gone = old.iter().map(|line| ('-', *line));
        return gone.chain(new.iter().map(|line| ('+', *line))).collect();
    }
    // How long the longest common run of lines is from each pair on.
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            longest[i * width + j] = if one == other {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let goes = j == new.len() || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]);
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if goes {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    // Of the lines that stay, those beside a change tell where it is.
    let near = |index: usize| index.saturating_sub(1)..=index + 1;
    let changes = |index: usize| near(index).any(|at| lines.get(at).is_some_and(|(sign, _)| *sign != ' '));
    (0..lines.len()).filter(|index| changes(*index)).map(|index| lines[index]).collect()
}
