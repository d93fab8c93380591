//! No false find over 10 GB of random bytes, and none missed: `cargo run --release --example embedded -- 10`.
//!
//! Every 100 MB or so one of 10,000 checksums is laid into the stream, at an odd place. No more than those may be found.
#![allow(clippy::print_stdout)] // The figures of a long run.

use std::process::ExitCode;
use std::time::Instant;

use migration_preflight::embedded::{Digests, Search};
use migration_preflight::migration::Checksum;

const PIECE: usize = 1 << 20;

fn main() -> ExitCode {
    let gigabytes: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let checksums: Vec<Checksum> = (0_u32..10_000).map(|seed| Checksum::of(seed.to_le_bytes())).collect();
    let digests = Digests::new(&checksums);
    let mut search = Search::new(&digests);
    let (mut state, mut piece, mut laid) = (88_172_645_463_325_252_u64, vec![0; PIECE], 0);
    let start = Instant::now();
    for number in 0..gigabytes * 1000 {
        for word in piece.as_chunks_mut::<8>().0 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *word = state.to_le_bytes();
        }
        if number % 100 == 50 {
            let place = (state % (PIECE as u64 - 48)) as usize;
            piece[place..place + 48].copy_from_slice(checksums[laid].as_bytes());
            laid += 1;
        }
        search.feed(&piece);
    }
    let embedded = search.finish();
    let found: usize = checksums.iter().map(|checksum| embedded.count(checksum)).sum();
    let is_all = checksums[..laid].iter().all(|checksum| embedded.count(checksum) == 1);
    println!("{gigabytes} GB in {:.0?}: {laid} laid in, {found} found", start.elapsed());
    if is_all && found == laid && embedded.tables().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
