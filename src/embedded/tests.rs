//! The search against a naive one, and arrays of migrations as compilers may lay them out.

use std::path::PathBuf;

use proptest::prelude::*;

use super::digests::LENGTH;
use super::*;

fn digest(seed: u64) -> Checksum {
    Checksum::of(seed.to_le_bytes())
}

fn digests(count: u64) -> Vec<Checksum> {
    (0..count).map(digest).collect()
}

/// What a search finds in `stream`, which comes in pieces of `piece` bytes.
fn search(checksums: &[Checksum], stream: &[u8], piece: usize) -> Embedded {
    let digests = Digests::new(checksums);
    let mut search = Search::new(&digests);
    stream.chunks(piece.max(1)).for_each(|piece| search.feed(piece));
    search.finish()
}

fn naive(checksum: &Checksum, stream: &[u8]) -> usize {
    stream.windows(LENGTH).filter(|window| *window == checksum.as_bytes()).count()
}

/// Bytes of no order.
fn noise(length: usize, mut state: u64) -> Vec<u8> {
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}

/// What stands in a stream: a checksum of a few that are alike, a part of one, one that is broken, or something else.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let whole = || (0_u64..4).prop_map(|seed| alike(seed).as_bytes().to_vec());
    prop_oneof![
        whole(),
        (whole(), 0..LENGTH).prop_map(|(bytes, from)| bytes[from..].to_vec()),
        (whole(), 0..LENGTH).prop_map(|(bytes, to)| bytes[..to].to_vec()),
        (whole(), 0..LENGTH).prop_map(|(mut bytes, at)| {
            bytes[at] ^= 1;
            bytes
        }),
        proptest::collection::vec(any::<u8>(), 0..100),
        (any::<u8>(), 0_usize..100).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

/// Checksums of which several have most windows in common, and one is another one moved on by a byte.
fn alike(seed: u64) -> Checksum {
    let mut bytes = digest(7).as_bytes().to_vec();
    match seed {
        0 => {}
        1 => bytes[47] ^= 0x10,
        2 => bytes[0] ^= 0x10,
        _ => bytes.rotate_left(1),
    }
    Checksum::from_bytes(bytes)
}

proptest! {
    #[test]
    fn a_search_finds_what_a_naive_one_finds(
        fragments in proptest::collection::vec(fragment(), 0..12),
        piece in prop_oneof![1_usize..100, Just(10_000)],
    ) {
        let stream = fragments.concat();
        let checksums: Vec<_> = (0..4).map(alike).chain(digests(3)).collect();
        let found = search(&checksums, &stream, piece);
        for checksum in &checksums {
            prop_assert_eq!(found.count(checksum), naive(checksum, &stream));
        }
    }
}

#[test]
fn a_checksum_is_found_at_every_alignment_and_across_every_edge() {
    let wanted = digest(1);
    let digests = Digests::new([&wanted]);
    let length = search::BLOCK + 60;
    let mut stream = noise(length, 5);
    // The first edge of the block, and that of the part which is kept.
    for start in (0..100).chain(search::BLOCK - 310..=length - LENGTH) {
        let before = stream[start..start + LENGTH].to_vec();
        stream[start..start + LENGTH].copy_from_slice(wanted.as_bytes());
        let mut search = Search::new(&digests);
        let (first, second) = stream.split_at(start + start % LENGTH);
        search.feed(first);
        search.feed(second);
        assert_eq!(search.finish().count(&wanted), 1, "at {start}");
        stream[start..start + LENGTH].copy_from_slice(&before);
    }
}

#[test]
fn a_checksum_is_found_across_the_ends_of_large_pieces() {
    let wanted = digest(1);
    let digests = Digests::new([&wanted]);
    let (large, small) = (1500, 90);
    let mut stream = noise(search::BLOCK + 2 * large + 2 * small, 5);
    for start in search::BLOCK + large - 300..search::BLOCK + 2 * large {
        let before = stream[start..start + LENGTH].to_vec();
        stream[start..start + LENGTH].copy_from_slice(wanted.as_bytes());
        let mut search = Search::new(&digests);
        let mut rest = &stream[..];
        // The last pieces are collected, after such as are not.
        for length in [search::BLOCK, large, small, large, small] {
            let (piece, others) = rest.split_at(length);
            search.feed(piece);
            rest = others;
        }
        assert_eq!(search.finish().count(&wanted), 1, "at {start}");
        stream[start..start + LENGTH].copy_from_slice(&before);
    }
}

#[test]
fn what_misses_a_checksum_by_a_bit_is_not_one() {
    let wanted = digest(1);
    for bit in 0..LENGTH * 8 {
        let mut near = wanted.as_bytes().to_vec();
        near[bit / 8] ^= 1 << (bit % 8);
        assert!(search(std::slice::from_ref(&wanted), &near.repeat(50), 1000).is_empty(), "bit {bit}");
    }
}

#[test]
fn nothing_is_found_in_noise() {
    let checksums = digests(500);
    for seed in 1..3 {
        assert!(search(&checksums, &noise(2 << 20, seed), 1 << 16).is_empty());
    }
}

#[test]
fn every_one_of_very_many_is_counted() {
    let checksums = digests(3);
    let stream = [checksums[0].as_bytes().repeat(12_000), checksums[1].as_bytes().to_vec()].concat();
    let found = search(&checksums, &stream, 1 << 20);
    assert_eq!(checksums.iter().map(|checksum| found.count(checksum)).collect::<Vec<_>>(), [12_000, 1, 0]);
    assert_eq!(found.checksums().count(), 2);
    assert!(search(&checksums, &[], 1).is_empty() && search(&[], &stream, 1000).is_empty());
}

#[test]
fn a_window_of_ten_thousand_checksums_is_looked_at_for_41_of_them_at_most() {
    let whole = digest(1);
    let start = &whole.as_bytes()[..44];
    let alike: Vec<_> = (0_u32..10_000).map(|end| Checksum::from_bytes([start, &end.to_le_bytes()].concat())).collect();
    let digests = Digests::new(&alike);
    assert_eq!(digests.len(), alike.len());
    let windows = alike[7].as_bytes().windows(8).map(|window| digests.offsets(window.try_into().unwrap()).len());
    assert!(windows.sum::<usize>() < 50);
    // A checksum that repeats itself has the same window several times.
    let again = Checksum::from_bytes(noise(24, 3).repeat(2));
    let digests = Digests::new([&again]);
    assert_eq!(digests.offsets(*again.as_bytes().first_chunk().unwrap()), [0, 24]);
}

/// Where the versions stand beside the rest, and which of its parts is the checksum.
type Layout = (bool, usize);
const LAYOUTS: [Layout; 6] = [(true, 2), (false, 2), (false, 1), (true, 1), (true, 0), (false, 0)];
const LOADED: u64 = 0x40_0000;
const ARRAY: usize = 4096;

/// A migration of a made-up binary: its version, its small fields, and which checksum it has.
type Made = (i64, u64, u64);

/// An executable that has the array, and the checksums that it points to. `elf`: none, so that nobody can follow the
/// pointers; with the addresses in place; or with relocations.
fn executable(layout: Layout, migrations: &[Made], elf: Elf) -> Vec<u8> {
    let (is_before, column) = layout;
    let mut file = vec![0; ARRAY];
    if elf != Elf::None {
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18] = 62;
        file[32] = 64;
        file[56] = 1;
        file[64] = 1;
        file[80..88].copy_from_slice(&LOADED.to_le_bytes());
        file[96..104].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    }
    let place = |seed: u64| LOADED + 16_000 + 64 * seed;
    let mut relocations = Vec::new();
    let mut words: Vec<u64> = vec![0x1234_5678_9abc; 2];
    for (version, fields, seed) in migrations {
        let pair = [version.cast_unsigned(), *fields];
        words.extend(pair.iter().filter(|_| is_before));
        for part in 0..3 {
            let slot = (ARRAY + 8 * words.len() + 8) as u64;
            let pointer = if part == column { place(*seed) } else { LOADED };
            relocations.extend([LOADED + slot, 8, pointer]);
            let written = if elf == Elf::Addresses { pointer } else { 0 };
            // 8 is the type of a relocation, too.
            words.extend([1 << 63, written, if part == column { 48 } else { 8 }]);
        }
        words.extend(pair.iter().filter(|_| !is_before));
    }
    words.extend([0x1234_5678_9abc; 2]);
    let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    if elf == Elf::Relocations {
        let relocations = bytes(&relocations);
        file[1024..1024 + relocations.len()].copy_from_slice(&relocations);
    }
    file.extend(bytes(&words));
    file.resize(16_000, 0);
    for (_, _, seed) in migrations {
        let start = (place(*seed) - LOADED) as usize;
        file.resize(file.len().max(start + 64), 0);
        file[start..start + LENGTH].copy_from_slice(digest(*seed).as_bytes());
    }
    file
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Elf {
    None,
    Addresses,
    Relocations,
}

fn known(version: i64, kind: MigrationKind, seed: u64, path: &str) -> Known {
    let path = (!path.is_empty()).then(|| PathBuf::from(path));
    Known { version: Version(version), description: "x".into(), kind, checksum: digest(seed), path, commit: None }
}

fn row(version: i64, seed: u64) -> Known {
    known(version, MigrationKind::Simple, seed, "")
}

fn file(version: i64, seed: u64) -> Known {
    known(version, MigrationKind::Simple, seed, &format!("{version}_x.sql"))
}

/// Versions, and the checksums that they are known to have: 99 is one that nobody knows.
fn read(file: &[u8], known: &[Known]) -> Result<Vec<(i64, u64)>, Unclear> {
    let checksums: Vec<_> = known.iter().map(|known| known.checksum.clone()).collect();
    let seed = |checksum| (0..50).find(|seed| digest(*seed) == checksum).unwrap_or(99);
    let carried = carried(known, &search(&checksums, file, 1500))?;
    Ok(carried.into_iter().map(|carried| (carried.migration.version.0, seed(carried.migration.checksum))).collect())
}

fn unclear(versions: &[i64]) -> Result<Vec<(i64, u64)>, Unclear> {
    Err(Unclear::Versions(versions.iter().copied().map(Version).collect()))
}

#[test]
fn an_array_says_which_of_equal_contents_are_embedded() {
    for layout in LAYOUTS {
        for elf in [Elf::Addresses, Elf::Relocations] {
            let made = executable(layout, &[(1, 0, 1), (2, 0, 2), (20_260_107, 0x100, 2), (20_260_108, 0, 4)], elf);
            // 3 is gone, 4 is the content of 2 that was given another number, and of 20260108 nobody knows.
            let knowledge = [file(1, 1), file(2, 2), file(3, 3), row(4, 2), row(20_260_107, 2)];
            let expected = [(1, 1), (2, 2), (20_260_107, 2), (20_260_108, 99)];
            assert_eq!(read(&made, &knowledge), Ok(expected.to_vec()), "{layout:?} {elf:?}");
        }
    }
}

#[test]
fn where_pointers_cannot_be_followed_versions_are_still_told() {
    for layout in LAYOUTS {
        let made = executable(layout, &[(1, 0, 1), (2, 0, 2), (6, 0, 3), (8, 0, 8)], Elf::None);
        let told = read(&made, &[row(1, 1), file(2, 2), row(5, 3), file(6, 3), file(7, 7)]);
        assert_eq!(told, Ok(vec![(1, 1), (2, 2), (6, 3), (8, 99)]), "{layout:?}");
        // Either may have another content than the one that both are known for.
        let equal = [row(1, 1), row(2, 2), file(2, 2), row(6, 2), file(6, 2), row(6, 3)];
        assert_eq!(read(&made, &equal), unclear(&[2]), "{layout:?}");
        // What is not applied is compared with nothing.
        assert_eq!(read(&made, &[row(1, 1), file(2, 2), file(6, 2)]), Ok(vec![(1, 1), (2, 99), (6, 99), (8, 99)]));
    }
}

#[test]
fn an_array_and_its_relocations_are_found_across_every_edge() {
    let migrations: Vec<Made> = (1..=6_i64).map(|version| (version, 0, version.cast_unsigned())).collect();
    // Any may have any of the contents, so that it takes the pointers to tell.
    let knowledge: Vec<Known> = (1..=6).flat_map(|version| (1..=6).map(move |seed| row(version, seed))).collect();
    let checksums: Vec<_> = knowledge.iter().map(|known| known.checksum.clone()).collect();
    let made = executable(LAYOUTS[0], &migrations, Elf::Relocations);
    let (array, relocations) = (ARRAY + 16..ARRAY + 16 + 88 * 6, 1024..1024 + 24 * 18);
    for start in (search::BLOCK - 904..search::BLOCK + 100).step_by(8) {
        let mut moved = made.clone();
        moved.resize(start + 1000, 0);
        moved.copy_within(relocations.clone(), start);
        moved[relocations.clone()].fill(0);
        let expected = (1..=6_i64).map(|version| (version, version.cast_unsigned())).collect();
        assert_eq!(read(&moved, &knowledge), Ok(expected), "relocations at {start}");
        let mut moved = made.clone();
        moved.resize(start + 1000, 0);
        moved.copy_within(array.clone(), start);
        moved[array.clone()].fill(0);
        let longest = search(&checksums, &moved, 9999).tables().iter().map(|table| table.records.len()).max();
        assert_eq!(longest, Some(6), "array at {start}");
    }
}

#[test]
fn an_array_of_others_tells_that_nothing_is_told() {
    let made = executable(LAYOUTS[0], &[(6, 0, 1)], Elf::None);
    assert_eq!(read(&made, &[row(5, 1)]), unclear(&[5]));
    let made = executable(LAYOUTS[0], &[(6, 0, 1)], Elf::Addresses);
    assert_eq!(read(&made, &[row(5, 1)]), Ok(vec![(6, 1)]));
}

#[test]
fn two_arrays_that_differ_are_not_chosen_between() {
    let two = |second: &[Made]| {
        let mut made = executable(LAYOUTS[0], &[(1, 0, 1), (2, 0, 2)], Elf::Addresses);
        let other = executable(LAYOUTS[0], second, Elf::Addresses);
        made.splice(8192..8192 + 512, other[ARRAY..ARRAY + 512].iter().copied());
        made.extend(other.into_iter().skip(16_000));
        read(&made, &[row(1, 1), row(2, 2), row(3, 3)])
    };
    assert_eq!(two(&[(1, 0, 1), (2, 0, 2)]), Ok(vec![(1, 1), (2, 2)]));
    assert_eq!(two(&[(1, 0, 1)]), Ok(vec![(1, 1), (2, 2)]));
    let mut first = executable(LAYOUTS[0], &[(1, 0, 1), (2, 0, 2), (3, 0, 3)], Elf::Addresses);
    let start = ARRAY + 16 + 88 * 2;
    first.copy_within(start..start + 88, start + 1000);
    first[start..start + 88].fill(0);
    assert_eq!(read(&first, &[row(1, 1), row(2, 2), row(3, 3)]), Err(Unclear::Sets));
}

#[test]
fn two_arrays_may_stand_side_by_side() {
    for layout in LAYOUTS {
        let made = executable(layout, &[(1, 0, 1), (2, 0, 2), (3, 0, 3), (1, 0, 8), (2, 0, 9)], Elf::Addresses);
        let told = read(&made, &[row(1, 1), row(2, 2), row(3, 3)]);
        assert_eq!(told, Ok(vec![(1, 1), (2, 2), (3, 3)]), "{layout:?}");
    }
}

/// Whoever makes a file can't make it take the square of its size; else this test would not end in hours.
#[test]
fn tens_of_thousands_of_migrations_are_worked_through() {
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let migration = |version: u64| words(&[1 << 63, 0, 8, 1 << 63, 0, 8, 1 << 63, 0, 48, version, 0]);
    let known: Vec<Known> = (0..1000).map(|version| row(version, 1)).collect();
    let checksum = digest(1);
    let stream = |gap: &[u8], version: fn(u64) -> u64| {
        let all: Vec<u8> = (0..30_000).flat_map(|number| [&migration(version(number)), gap].concat()).collect();
        search(std::slice::from_ref(&checksum), &[checksum.as_bytes(), &all].concat(), 1 << 16)
    };
    let unclear = Err(Unclear::Versions((0..1000).map(Version).collect()));
    assert_eq!(carried(&known, &stream(&[], |number| number)), unclear);
    assert_eq!(carried(&known, &stream(&[7; 8], |number| number % 7)), Err(Unclear::Sets));
}

#[test]
fn without_an_array_a_checksum_tells_the_one_version_that_it_is_known_for() {
    use MigrationKind::{ReversibleDown, ReversibleUp};
    let bytes = |seeds: &[u64]| seeds.iter().flat_map(|seed| digest(*seed).as_bytes().to_vec()).collect::<Vec<u8>>();
    let up = |version, seed| known(version, ReversibleUp, seed, "up");
    let down = |version, seed| known(version, ReversibleDown, seed, "down");
    let told = |seeds: &[u64], knowledge: &[Known]| read(&bytes(seeds), knowledge);
    assert_eq!(told(&[1, 3], &[row(1, 1), file(1, 1), file(2, 2), file(3, 3)]), Ok(vec![(1, 1), (3, 3)]));
    assert_eq!(told(&[], &[row(1, 1)]), Ok(vec![]));
    assert_eq!(told(&[1], &[row(1, 1), file(2, 1), file(3, 3)]), unclear(&[1, 2]));
    assert_eq!(told(&[1], &[row(1, 1), down(1, 1)]), unclear(&[1]));
    // `sqlx migrate add -r` gives every down file the same content.
    let pairs = [up(1, 1), down(1, 9), up(2, 2), down(2, 9), up(3, 3), down(3, 9)];
    assert_eq!(told(&[1, 2, 9], &pairs), Ok(vec![(1, 1), (1, 9), (2, 2), (2, 9)]));
    let applied: Vec<_> = pairs.iter().cloned().chain([row(1, 1), row(3, 3)]).collect();
    assert_eq!(told(&[1, 2, 9], &applied), unclear(&[3]));
}

#[test]
fn of_what_is_known_of_a_content_the_file_that_is_there_is_told() {
    let old = |commit: &str, path: &str| Known { commit: Some(commit.into()), path: Some(path.into()), ..row(1, 1) };
    let here = Known { description: "y".into(), ..file(1, 1) };
    let all = [row(1, 1), old("a", "old/1_x.sql"), old("b", "1_y.sql"), here.clone()];
    let told = |known: &[Known]| {
        let embedded = search(&[digest(1)], digest(1).as_bytes(), 5);
        carried(known, &embedded).unwrap().remove(0).known
    };
    assert_eq!(told(&all), Some(here));
    assert_eq!(told(&all[..3]), Some(all[1].clone()));
    assert_eq!(told(&all[..1]), Some(all[0].clone()));
}
