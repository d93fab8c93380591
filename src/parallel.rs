//! Work of one kind, shared among the cores.

use std::panic::resume_unwind;
use std::thread;

/// So many threads at most.
const MOST_THREADS: usize = 8;

/// Does `work` on neighbouring `items` at a time, of which no part has fewer than `fewest` where there are more: for so few
/// no further thread is started. What it gives is in the order of the items.
pub fn in_parts<T: Sync, R: Send>(items: &[T], fewest: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let threads = match items.len() {
        // Asking how many cores there are costs as much as a little work.
        few if few <= fewest => 1,
        _ => thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS),
    };
    let part = items.len().div_ceil(threads).max(fewest).max(1);
    let (first, others) = items.split_at(part.min(items.len()));
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = others.chunks(part).map(|part| scope.spawn(move || work(part))).collect();
        let mut done = vec![work(first)];
        done.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_in_order() {
        for length in [0, 1, 2, 7, 8, 9, 100, 1001] {
            let items: Vec<usize> = (0..length).collect();
            for fewest in [0, 1, 8, 5000] {
                let parts = in_parts(&items, fewest, <[usize]>::to_vec);
                assert_eq!(parts.concat(), items, "{length}, {fewest}");
                assert!(parts.len() <= MOST_THREADS && parts.iter().rev().skip(1).all(|part| part.len() >= fewest));
            }
        }
    }

    #[test]
    fn a_panic_goes_on_in_who_waits() {
        let items: Vec<usize> = (0..100).collect();
        let work = |part: &[usize]| assert!(!part.contains(&99), "the last");
        assert!(std::panic::catch_unwind(|| in_parts(&items, 1, work)).is_err());
    }
}
