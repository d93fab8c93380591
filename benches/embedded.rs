//! The search for known checksums in a binary: `cargo bench --bench embedded`.
//!
//! Beside aho-corasick, which knows nothing of checksums, and a loop that only adds up the bytes' words: as fast as
//! memory is read.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use migration_preflight::embedded::{Digests, Search};
use migration_preflight::migration::Checksum;

const SIZE: usize = 256 << 20;
const PIECE: usize = 64 << 10;

/// This very program, as often as it fits.
fn binary() -> Vec<u8> {
    let program = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    program.iter().copied().cycle().take(SIZE).collect()
}

fn noise() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(SIZE).collect()
}

fn checksums(count: u32) -> Vec<Checksum> {
    (0..count).map(|seed| Checksum::of(seed.to_le_bytes())).collect()
}

fn found(digests: &Digests, stream: &[u8]) -> usize {
    let mut search = Search::new(digests);
    stream.chunks(PIECE).for_each(|piece| search.feed(piece));
    search.finish().checksums().count()
}

fn searches(criterion: &mut Criterion) {
    let near: Vec<u8> = {
        let mut near = Checksum::of(0_u32.to_le_bytes()).as_bytes().to_vec();
        near.iter_mut().last().into_iter().for_each(|byte| *byte ^= 1);
        near.into_iter().cycle().take(SIZE).collect()
    };
    for (kind, stream) in [("a binary", binary()), ("noise", noise()), ("zeros", vec![0; SIZE]), ("near misses", near)]
    {
        let mut group = criterion.benchmark_group(kind);
        group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(10);
        for count in [10, 500, 10_000, 100_000] {
            let digests = Digests::new(&checksums(count));
            group.bench_function(BenchmarkId::new("search", count), |bencher| {
                bencher.iter(|| found(&digests, &stream));
            });
        }
        group.bench_function("reading alone", |bencher| {
            let words = || stream.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
            bencher.iter(|| words().fold(0, u64::wrapping_add));
        });
        group.finish();
    }
}

/// A smaller part: it is that much slower.
fn peers(criterion: &mut Criterion) {
    let stream = &binary()[..SIZE / 16];
    let mut group = criterion.benchmark_group("peers, a binary");
    group.throughput(Throughput::Bytes(stream.len() as u64)).sample_size(10);
    for count in [10, 500] {
        let checksums = checksums(count);
        let bytes = checksums.iter().map(Checksum::as_bytes);
        if let Ok(peer) = aho_corasick::AhoCorasick::new(bytes) {
            group.bench_function(BenchmarkId::new("aho-corasick", count), |bencher| {
                bencher.iter(|| peer.find_iter(stream).count());
            });
        }
    }
    group.finish();
}

fn preparing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("preparing");
    for count in [10, 500, 10_000, 100_000] {
        let checksums = checksums(count);
        group.throughput(Throughput::Elements(u64::from(count))).sample_size(10);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| Digests::new(&checksums).len());
        });
    }
    group.finish();
}

criterion_group!(benches, searches, peers, preparing);
criterion_main!(benches);
