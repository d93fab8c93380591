//! What a finding is known again by in the next run: code scanning keys its alerts on it, beside rule and file.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::finding::Finding;

/// So many bytes of a sum tell findings of one rule and one file apart.
const LENGTH: usize = 8;

/// The fingerprints that have been given.
#[derive(Default)]
pub struct Fingerprints(HashMap<String, usize>);

impl Fingerprints {
    /// The fingerprint of the next finding, which no other has: of what it is about, and not of how it is put, nor of
    /// the line, which both change while the finding stays. Those that are about the same are numbered.
    pub fn next(&mut self, finding: &Finding) -> String {
        let sum = sum(finding);
        let number = self.0.entry(sum.clone()).or_default();
        *number += 1;
        format!("{sum}:{number}")
    }
}

fn sum(finding: &Finding) -> String {
    let version = finding.facts.version().map(|version| version.to_string());
    let file = finding.location.as_ref().map(|location| location.file.as_str());
    let first = [Some(finding.rule().id()), finding.scope.service(), version.as_deref(), file];
    let mut hasher = Sha256::new();
    for part in first.into_iter().chain(finding.scope.environments().iter().map(|name| Some(name.as_str()))) {
        hasher.update(part.unwrap_or_default());
        // In none of them.
        hasher.update([0]);
    }
    hasher.finalize().iter().take(LENGTH).map(|byte| format!("{byte:02x}")).collect()
}
