//! Reading a migrations directory, the files being in the system's cache: `cargo bench --bench resolver`.

use std::fs;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use migration_preflight::gather::directory;

/// Writes `count` migrations of some 900 bytes each into `root/migrations`.
fn write_migrations(root: &Path, count: usize) -> std::io::Result<()> {
    fs::create_dir(root.join("migrations"))?;
    (1..=count).try_for_each(|number| {
        let sql = format!("ALTER TABLE table_{number} ADD COLUMN note text;\n").repeat(20);
        fs::write(root.join(format!("migrations/{number:05}_add_notes_to_table_{number}.sql")), sql)
    })
}

fn resolver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolver");
    for count in [10, 500, 4_400, 10_000] {
        let root = tempfile::tempdir().expect("a temporary folder");
        write_migrations(root.path(), count).expect("a folder to write to");
        // Divided by the number of files: a step that grows with its square shows as a throughput that falls.
        group.throughput(Throughput::Elements(count as u64)).sample_size(20);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let defined = directory::read(root.path(), Path::new("migrations")).expect("a directory");
                assert_eq!(defined.migrations.len(), count);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, resolver);
criterion_main!(benches);
