//! Takes the compression off a layer, as its first bytes tell it: what its type says may be wrong, and runtimes do not go
//! by it either.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::super::error::LayerFault;
use super::super::stream::Stream;

/// No larger window is granted, as in the `zstd` program without `--memory`: 128 MiB.
const WINDOW_LOG: u32 = 27;

/// How many bytes tell a compression.
const MAGIC: usize = 6;

/// A layer without its compression.
pub enum Unpacked<'a> {
    /// There is none.
    Plain(&'a mut Stream),
    /// gzip, of one or several members.
    Gzip(Box<MultiGzDecoder<&'a mut Stream>>),
    /// zstd, of one or several frames.
    Zstd(Box<ZstdDecoder<'a, &'a mut Stream>>),
}

/// Why the compression does not come off.
#[derive(Debug)]
pub enum UnpackError {
    /// It is one that is not known here.
    Compression(&'static str),
    /// It is broken, or needs too much memory.
    Io(io::Error),
}

impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl UnpackError {
    /// What is said of the layer.
    pub fn fault(self) -> LayerFault {
        match self {
            Self::Compression(name) => LayerFault::Compression(name),
            Self::Io(error) => {
                let text = error.to_string();
                // zstd's own words; it has no other kind for it.
                if text.contains("requires too much memory") {
                    LayerFault::Window(1 << WINDOW_LOG)
                } else if error.kind() == io::ErrorKind::UnexpectedEof {
                    LayerFault::Broken("its compressed data end too early".to_owned())
                } else {
                    LayerFault::Broken(format!("its compressed data are broken ({text})"))
                }
            }
        }
    }
}

impl<'a> Unpacked<'a> {
    /// Looks at the first bytes of the layer.
    ///
    /// # Errors
    /// It cannot be read, or is compressed with something else.
    pub fn new(stream: &'a mut Stream) -> Result<Self, UnpackError> {
        let start = stream.peek(MAGIC)?;
        Ok(match start {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(stream))),
            // A frame, or one to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                let mut decoder = ZstdDecoder::with_buffer(stream)?;
                decoder.window_log_max(WINDOW_LOG)?;
                Self::Zstd(Box::new(decoder))
            }
            [b'B', b'Z', b'h', ..] => return Err(UnpackError::Compression("bzip2")),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Err(UnpackError::Compression("xz")),
            _ => Self::Plain(stream),
        })
    }

    /// How many bytes of the layer were taken for it.
    pub fn packed(&self) -> u64 {
        match self {
            Self::Plain(stream) => stream.taken(),
            Self::Gzip(decoder) => decoder.get_ref().taken(),
            Self::Zstd(decoder) => decoder.get_ref().taken(),
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}
