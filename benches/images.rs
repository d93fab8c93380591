//! An image with one layer of gzip, read beside `gzip -dc`, in turns: `cargo bench --bench images`.
//!
//! Prints the median of the ratios of each pair; what is shown is looked through for one byte, as a search would.

use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use migration_preflight::gather::image::{Location, Options, Visit, read};
use sha2::{Digest, Sha256};

/// How large the layer is, unpacked.
const SIZE: u64 = 512 << 20;
const ROUNDS: usize = 9;

/// Looks at each byte once.
#[derive(Default)]
struct Look {
    bytes: u64,
    found: usize,
}

impl Visit for Look {
    fn file(&mut self, _: &str, _: u64) -> bool {
        true
    }
    fn piece(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.found += usize::from(piece.contains(&0xa7));
    }
    fn end(&mut self) {}
    fn link(&mut self, _: &str, _: &str) {}
    fn removed(&mut self, _: &str) {}
}

/// Writes a layer of programs, and a layout around it. Returns the path of the layer.
fn prepare(folder: &Path) -> Result<std::path::PathBuf> {
    let program = fs::read(std::env::current_exe()?)?;
    let tar = folder.join("layer.tar");
    let mut builder = tar::Builder::new(File::create(&tar)?);
    for number in 0..SIZE / program.len() as u64 {
        let mut header = tar::Header::new_ustar();
        header.set_size(program.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, format!("usr/bin/app-{number}"), &program[..])?;
    }
    builder.finish()?;
    ensure!(Command::new("gzip").arg("-6").arg(&tar).status()?.success(), "gzip fails");
    let packed = fs::read(folder.join("layer.tar.gz"))?;
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let blob = |bytes: &[u8]| -> Result<String> {
        let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(blobs.join(&hex), bytes)?;
        Ok(format!("\"digest\": \"sha256:{hex}\", \"size\": {}", bytes.len()))
    };
    let types = "application/vnd.oci.image";
    let manifest = format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "{types}.config.v1+json", {}}},
            "layers": [{{"mediaType": "{types}.layer.v1.tar+gzip", {}}}]}}"#,
        blob(b"{}")?,
        blob(&packed)?
    );
    let entry = format!(r#"{{"mediaType": "{types}.manifest.v1+json", {}}}"#, blob(manifest.as_bytes())?);
    fs::write(folder.join("index.json"), format!(r#"{{"schemaVersion": 2, "manifests": [{entry}]}}"#))?;
    Ok(folder.join("layer.tar.gz"))
}

fn gzip(layer: &Path) -> Result<Duration> {
    let start = Instant::now();
    let mut gzip = Command::new("gzip");
    ensure!(gzip.arg("-dc").arg(layer).stdout(Stdio::null()).status()?.success(), "gzip fails");
    Ok(start.elapsed())
}

fn ours(runtime: &tokio::runtime::Runtime, location: &Location) -> Result<Duration> {
    let start = Instant::now();
    let (_, look) = runtime.block_on(read(location, &Options::default(), Look::default()))?;
    ensure!(look.found > 0 && look.bytes > SIZE / 2, "not all was shown");
    Ok(start.elapsed())
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let layer = prepare(folder.path())?;
    let location = Location::parse(folder.path().to_str().context("a path")?, Path::new("/"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut ratios, mut out) = (Vec::new(), stdout().lock());
    for _ in 0..ROUNDS {
        let (own, peer) = (ours(&runtime, &location)?, gzip(&layer)?);
        ratios.push(own.as_secs_f64() / peer.as_secs_f64());
        writeln!(out, "an image {own:.3?}, gzip -dc {peer:.3?}")?;
    }
    ratios.sort_by(f64::total_cmp);
    writeln!(
        out,
        "an image takes {:.2} times as long as gzip -dc ({:.2} to {:.2})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    )?;
    Ok(())
}
