//! The expansion of a matrix definition, step by step what GitHub's own MatrixBuilder does.

use std::collections::HashMap;

use github_actions_expressions::Evaluation;
use indexmap::IndexMap;
use serde_json::Value;

use super::definition::{Definition, Item, Vector};
use super::error::MatrixError;
use super::tree::{fold, general, text, weight};
use super::{MatrixEntry, ServiceMatrix};

/// The most combinations of vectors, before `exclude`. GitHub itself runs at most 256 jobs.
const MAX_COMBINATIONS: usize = 100_000;
/// The most bytes, by estimate, that all combinations and the items held against them may take.
const MAX_BYTES: usize = 256 << 20;

/// Expands the matrix: the first key varies slowest, excludes come before includes, an include is matched
/// against the values of the vectors alone, and one that matches nothing becomes an entry of its own.
pub(super) fn expand(definition: &Definition) -> Result<ServiceMatrix, MatrixError> {
    let combinations = count(definition)?;
    let keys = definition.vectors.iter().enumerate().map(|(i, vector)| (fold(&vector.name), i)).collect();
    let excludes: Vec<Filter> = definition.exclude.iter().map(|item| Filter::new(item, &keys)).collect();
    let mut includes: Vec<Include> = definition.include.iter().map(|item| Include::new(item, &keys)).collect();
    let vectors: Vec<Vec<Evaluation>> = definition
        .vectors
        .iter()
        .map(|vector| vector.values.iter().map(|(value, _)| comparable(value)).collect())
        .collect();

    let mut entries = Vec::new();
    for combination in 0..combinations {
        let chosen = choose(combination, &vectors);
        let compared: Vec<&Evaluation> = vectors.iter().zip(&chosen).filter_map(|(v, &i)| v.get(i)).collect();
        if excludes.iter().any(|filter| filter.matches(&compared)) {
            continue;
        }
        let mut entry = base(&definition.vectors, &chosen);
        entry.values.extend(extra(&mut includes, &compared));
        entries.push(entry);
    }
    entries.extend(includes.into_iter().filter(|include| !include.matched).map(Include::into_entry));
    Ok(ServiceMatrix { entries, is_one_leg: false })
}

/// How many combinations there are, once it is known that they fit into memory.
fn count(definition: &Definition) -> Result<usize, MatrixError> {
    if definition.vectors.is_empty() {
        return Ok(0);
    }
    let combinations = definition.vectors.iter().try_fold(1_usize, |n, vector| n.checked_mul(vector.values.len()));
    let items = definition.include.iter().chain(&definition.exclude);
    let bytes = definition
        .vectors
        .iter()
        .map(|vector| vector.values.iter().map(|(value, _)| weight(value)).max().unwrap_or_default())
        .chain(items.map(|item| item.values.values().map(weight).sum()))
        .sum::<usize>();
    let fits = |n: &usize| *n <= MAX_COMBINATIONS && n.saturating_mul(bytes) <= MAX_BYTES;
    combinations
        .filter(fits)
        .ok_or_else(|| MatrixError::TooLarge { combinations, location: definition.location.clone() })
}

/// Which value of each vector makes up a combination.
fn choose(combination: usize, vectors: &[Vec<Evaluation>]) -> Vec<usize> {
    let mut rest = combination;
    let mut chosen: Vec<usize> = vectors
        .iter()
        .rev()
        .map(|values| {
            let index = rest % values.len().max(1);
            rest /= values.len().max(1);
            index
        })
        .collect();
    chosen.reverse();
    chosen
}

/// The entry before anything is included: declared where its value of the first vector stands.
fn base(vectors: &[Vector], chosen: &[usize]) -> MatrixEntry {
    let picked: Vec<_> =
        vectors.iter().zip(chosen).filter_map(|(v, &i)| v.values.get(i).map(|pick| (&v.name, pick))).collect();
    MatrixEntry {
        declared: picked.first().and_then(|(_, (_, location))| location.clone()),
        values: picked.into_iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect(),
    }
}

/// What all matching includes add; a later one overwrites an earlier one, but keeps its spelling of the key.
fn extra(includes: &mut [Include], combination: &[&Evaluation]) -> impl Iterator<Item = (String, Value)> {
    let mut extra: IndexMap<String, (&String, &Value)> = IndexMap::new();
    for include in includes.iter_mut().filter(|include| include.filter.matches(combination)) {
        include.matched = true;
        for (key, value) in &include.extra {
            extra.entry(fold(key)).and_modify(|(_, earlier)| *earlier = value).or_insert((key, value));
        }
    }
    extra.into_values().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>().into_iter()
}

/// The vectors by their folded keys.
type Keys = HashMap<String, usize>;

/// What an item demands of a combination: of each vector it names, a value that matches.
struct Filter {
    demands: Vec<(usize, Evaluation)>,
}

impl Filter {
    fn new(item: &Item, keys: &Keys) -> Self {
        let named = item.values.iter().filter_map(|(key, value)| Some((*keys.get(&fold(key))?, comparable(value))));
        Self { demands: named.collect() }
    }

    fn matches(&self, combination: &[&Evaluation]) -> bool {
        self.demands.iter().all(|(vector, demand)| combination.get(*vector).is_some_and(|value| fits(demand, value)))
    }
}

/// One item of `include`, its keys divided into those of vectors and those to add.
struct Include<'item> {
    item: &'item Item,
    filter: Filter,
    named: Vec<(&'item String, &'item Value)>,
    extra: Vec<(&'item String, &'item Value)>,
    matched: bool,
}

impl<'item> Include<'item> {
    fn new(item: &'item Item, keys: &Keys) -> Self {
        let (named, extra) = item.values.iter().partition(|(key, _)| keys.contains_key(&fold(key)));
        Self { item, filter: Filter::new(item, keys), named, extra, matched: false }
    }

    /// The entry that this item is when it matched no combination: first the keys of vectors, then the others.
    fn into_entry(self) -> MatrixEntry {
        let pairs = self.named.into_iter().chain(self.extra);
        MatrixEntry {
            values: pairs.map(|(key, value)| (key.clone(), value.clone())).collect(),
            declared: self.item.location.clone(),
        }
    }
}

/// Whether every leaf of `demand` equals, by the `==` of expressions, what `value` has in its place.
/// What is absent there is null, and null equals `0`, `false` and the empty string.
fn fits(demand: &Evaluation, value: &Evaluation) -> bool {
    match demand {
        Evaluation::Object(entries) => entries.iter().all(|(key, demand)| fits(demand, index(value, key))),
        Evaluation::Array(items) => items.iter().enumerate().all(|(i, demand)| fits(demand, nth(value, i))),
        leaf => value.sema() == rounded(leaf).sema(),
    }
}

/// `value[key]`, null where there is none: of an array, the item whose number the key is.
fn index<'value>(value: &'value Evaluation, key: &str) -> &'value Evaluation {
    const NULL: &Evaluation = &Evaluation::Null;
    match value {
        Evaluation::Object(entries) => entries.get(key).unwrap_or(NULL),
        Evaluation::Array(items) => {
            let number = Evaluation::String(key.to_owned()).as_number().floor();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
            let number = (number >= 0.0 && number < f64::from(u32::MAX)).then_some(number as usize);
            number.and_then(|number| items.get(number)).unwrap_or(NULL)
        }
        _ => NULL,
    }
}

/// `value[i]`: of an object, the value whose key is that number.
fn nth(value: &Evaluation, i: usize) -> &Evaluation {
    match value {
        Evaluation::Array(items) => items.get(i).unwrap_or(&Evaluation::Null),
        value => index(value, &i.to_string()),
    }
}

/// GitHub writes the leaves of a filter into expressions, so its numbers lose all but fifteen digits.
fn rounded(leaf: &Evaluation) -> Evaluation {
    match leaf {
        Evaluation::Number(number) => Evaluation::Number(general(*number).parse().unwrap_or(*number)),
        leaf => leaf.clone(),
    }
}

/// A value in the form in which expressions compare it, its keys folded.
fn comparable(value: &Value) -> Evaluation {
    match value {
        Value::Null => Evaluation::Null,
        Value::Bool(boolean) => Evaluation::Boolean(*boolean),
        Value::Number(number) => number.as_f64().map_or(Evaluation::Null, Evaluation::Number),
        Value::Array(items) => Evaluation::Array(items.iter().map(comparable).collect()),
        Value::Object(entries) => Evaluation::Object(
            entries.iter().map(|(key, value)| (fold(key), comparable(value))).collect::<HashMap<_, _>>(),
        ),
        Value::String(_) => Evaluation::String(text(value).unwrap_or_default()),
    }
}
