//! Why an image could not be read: what failed, where, and what to do about it. Plain text, without secrets.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialError;
use super::location::LocationError;

/// Why an image could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// What was given leads nowhere.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// Who to ask the registry as could not be found out.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// A registry did not give what it was asked for.
    #[error("{registry}: {fault}")]
    Registry {
        /// Its host, or the image that it was asked for.
        registry: String,
        /// Why.
        fault: RegistryFault,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read: {detail}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A file or folder holds no image.
    #[error("`{}` holds no image: {detail}; write an archive of `docker save`, an OCI archive or the folder of an OCI layout", .path.display())]
    NoImage {
        /// Which.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// The archive is compressed as a whole.
    #[error("`{}` is compressed with {with}, and its layers cannot be found without unpacking it; unpack it first: {command}", .path.display())]
    Compressed {
        /// Which.
        path: PathBuf,
        /// The format.
        with: &'static str,
        /// What unpacks it.
        command: &'static str,
    },
    /// There are several images in it.
    #[error("`{}` holds several images ({}); write the name of one behind a colon: {}:NAME", .path.display(), .names.join(", "), .path.display())]
    Ambiguous {
        /// Which.
        path: PathBuf,
        /// What they are called.
        names: Vec<String>,
    },
    /// No image in it has the name.
    #[error("`{}` holds no image `{name}`, but {}", .path.display(), listed(.names))]
    NoName {
        /// Which.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        names: Vec<String>,
    },
    /// A manifest is none.
    #[error("the manifest of {name} cannot be used: {detail}")]
    Manifest {
        /// Of what.
        name: String,
        /// Why.
        detail: String,
    },
    /// A configuration is none.
    #[error("the configuration {digest} of the image cannot be used: {detail}")]
    Config {
        /// Which.
        digest: String,
        /// Why.
        detail: String,
    },
    /// A manifest or a configuration is not what its digest names.
    #[error(
        "the content of {digest} does not match its digest: it was changed or damaged on its way; pull or save the image anew"
    )]
    Mismatch {
        /// Which.
        digest: String,
    },
    /// The image is not built for the platform.
    #[error("{name} has no image for {wanted}, but {}; ask for one of these platforms", listed(.available))]
    NoPlatform {
        /// Of what.
        name: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        available: Vec<String>,
    },
    /// A layer cannot be read.
    #[error("layer {layer}: {fault}")]
    Layer {
        /// Its digest, or its name in an archive.
        layer: String,
        /// Why.
        fault: LayerFault,
    },
    /// The image takes more than any should.
    #[error("the image is too large to be looked through: {0}")]
    Limit(Limit),
    /// Nobody waits any longer.
    #[error("the image was not read to its end within {} s; the registry or the disk is too slow, or the image too large", .0.as_secs())]
    TimedOut(Duration),
    /// Reading was given up.
    #[error("reading was interrupted")]
    Interrupted,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none with a name".to_owned() } else { names.join(", ") }
}

/// Why a layer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerFault {
    /// Its bytes are not those that its digest names.
    #[error(
        "its content hashes to {actual}: it was changed or damaged on its way, and nothing in it counts; pull or save the image anew"
    )]
    Mismatch {
        /// What they hash to.
        actual: String,
    },
    /// It ends too early.
    #[error("it ends after {actual} of {expected} bytes; pull or save the image anew")]
    Short {
        /// How many it should have.
        expected: u64,
        /// How many it has.
        actual: u64,
    },
    /// It goes on for too long.
    #[error("it is longer than the {expected} bytes that the manifest tells; pull or save the image anew")]
    Long {
        /// How many it should have.
        expected: u64,
    },
    /// It is not there.
    #[error("it is missing; pull or save the image anew")]
    Missing,
    /// It cannot be unpacked.
    #[error("it cannot be unpacked: {0}; the image was built broken, and no container can start from it")]
    Broken(String),
    /// It needs more memory than is granted.
    #[error("it was compressed with zstd and a window of more than {} MiB; compress it without `--long` or `--ultra`", .0 >> 20)]
    Window(u64),
    /// It is encrypted.
    #[error("it is encrypted, and cannot be looked into; check an image that is not")]
    Encrypted,
    /// It is kept elsewhere.
    #[error("it is not distributed with the image (a foreign layer), and cannot be looked into")]
    Foreign,
    /// Nobody knows how it is packed.
    #[error("its type `{0}` is not known: neither a plain tar archive nor one compressed with gzip or zstd")]
    MediaType(String),
    /// It was compressed with something that no runtime reads any more.
    #[error("it is compressed with {0}; build the image with layers of gzip or zstd")]
    Compression(&'static str),
    /// A file cannot be read while it streams by.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What the image has too much of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Unpacked bytes.
    #[error("it unpacks to more than {} GiB", .0 >> 30)]
    Unpacked(u64),
    /// Unpacked bytes for those that are packed.
    #[error(
        "layer {layer} unpacks to more than {ratio} times its size, as only a file does that is made to fill disks"
    )]
    Ratio {
        /// Which layer.
        layer: String,
        /// How many times.
        ratio: u64,
    },
    /// Entries.
    #[error("it has more than {0} files and folders")]
    Entries(usize),
    /// Bytes of names.
    #[error("the names of its files take more than {} MiB", .0 >> 20)]
    Names(usize),
    /// A long path.
    #[error("the path of a file is longer than {0} bytes or has too many parts")]
    Path(usize),
    /// A manifest or a configuration.
    #[error("{what} is larger than {} MiB", .most >> 20)]
    Document {
        /// Which.
        what: String,
        /// How large it may be.
        most: u64,
    },
    /// Indexes in indexes.
    #[error("its index leads to an index, again and again")]
    Depth,
}

/// Why a registry did not give what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// Nobody was logged in.
    #[error(
        "it wants to know who asks, and there are no credentials for {host}; log in with `docker login {host}`, or set {variables}"
    )]
    Anonymous {
        /// For which registry.
        host: String,
        /// What may be set instead.
        variables: &'static str,
    },
    /// Somebody was, and is not known or not let in.
    #[error(
        "it does not accept the credentials for {host} ({from}): {message}; log in anew with `docker login {host}`, and see that the account may read the image"
    )]
    Refused {
        /// For which registry.
        host: String,
        /// Where the credentials come from.
        from: String,
        /// What the registry says.
        message: String,
    },
    /// No such image, or none that one may see.
    #[error("it knows no such image, or does not show it to this account ({message}); check its name and tag")]
    NotFound {
        /// What the registry says.
        message: String,
    },
    /// Too many requests.
    #[error("it asks for fewer requests{}; log in if you have not, or try again later", wait(*.0))]
    RateLimited(Option<Duration>),
    /// TLS.
    #[error(
        "no trusted connection: {0}; if its certificate is by an authority of your own, name a file with that in SSL_CERT_FILE"
    )]
    Tls(String),
    /// The host speaks plain HTTP.
    #[error("it does not speak TLS; plain HTTP is spoken to this very machine alone")]
    PlainHttp,
    /// No connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// No answer.
    #[error("it did not answer in time")]
    TimedOut,
    /// It is in trouble.
    #[error("it answered with status {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It does not answer as a registry does.
    #[error("its answer is none of a registry: {0}")]
    Odd(String),
    /// The token would go out in the open.
    #[error("it sends the password to `{0}`, over a connection that anybody can listen to; it was not sent")]
    InsecureRealm(String),
}

fn wait(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!(", for {} s", wait.as_secs()))
}
