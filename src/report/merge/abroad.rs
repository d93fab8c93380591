//! Reports of other repositories: a service of theirs is none of ours, whatever its name, and neither is a file.

use super::Part;
use crate::finding::{Finding, Location, Scope};
use crate::report::{Report, TargetReport};

/// The repository whose services and files go by their own names: the one of this run, else the only one that there is.
pub fn home(parts: &[Part], here: Option<&str>) -> Option<String> {
    let mut named = parts.iter().filter_map(|part| part.report.as_ref().ok()?.repository.as_deref());
    let first = here.or_else(|| named.next())?;
    (here.is_some() || named.all(|name| name == first)).then(|| first.to_owned())
}

/// The report as it reads from `home`: one of another repository has that one's name before every service, and every
/// file outside of this one, so that nothing is said at a file of ours that happens to have the name.
pub fn at_home(report: Report, home: Option<&str>) -> Report {
    let Some(repository) = report.repository.clone().filter(|name| Some(name.as_str()) != home) else { return report };
    let Report { verdict, targets, findings, accepted, already_so, notes, .. } = report;
    let of = |finding| finding_of(&repository, finding);
    Report {
        verdict,
        targets: targets.into_iter().map(|target| target_of(&repository, target)).collect(),
        findings: findings.into_iter().map(of).collect(),
        accepted: accepted.into_iter().map(|(finding, reason)| (of(finding), reason)).collect(),
        already_so: already_so.into_iter().map(of).collect(),
        notes: notes.into_iter().map(|note| format!("{repository}: {note}")).collect(),
        repository: None,
    }
}

fn target_of(repository: &str, target: TargetReport) -> TargetReport {
    let location = match (target.kind.as_str(), target.location.split_once(':')) {
        ("directory", _) => outside(repository, &target.location),
        ("revision", Some((revision, directory))) => format!("{revision}:{}", outside(repository, directory)),
        _ => target.location,
    };
    TargetReport {
        service: service_of(repository, &target.service),
        location,
        findings: target.findings.into_iter().map(|finding| finding_of(repository, finding)).collect(),
        ..target
    }
}

fn finding_of(repository: &str, finding: Finding) -> Finding {
    let scope = match finding.scope {
        Scope::Target { service, environment, tenants } => {
            Scope::Target { service: service_of(repository, &service), environment, tenants }
        }
        Scope::Service { service, environments } => {
            Scope::Service { service: service_of(repository, &service), environments }
        }
        Scope::Run => Scope::Run,
    };
    let location = finding.location.map(|at| Location { file: outside(repository, &at.file), line: at.line });
    Finding { scope, location, ..finding }
}

fn service_of(repository: &str, service: &str) -> String {
    format!("{repository}:{service}")
}

/// A file of another repository, as if that stood beside this one.
fn outside(repository: &str, file: &str) -> String {
    if file.starts_with('/') { file.to_owned() } else { format!("../{repository}/{file}") }
}
