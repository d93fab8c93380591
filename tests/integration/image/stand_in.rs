//! A stand-in for a registry on the loopback interface, and for the server that hands out its tokens: it writes down what
//! it is asked for, and answers as it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::shared::images::{Images, sha256};

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = || {
            let mut line = String::new();
            (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ').map(str::to_owned);
        let mut request = Self { method: words.next()?, path: words.next()?, ..Self::default() };
        while let Some((name, value)) = line()?.split_once(':') {
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).unwrap();
        Some(request)
    }
}

/// What is answered.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// So many bytes of a body, and then the end of the connection.
    Part(Vec<u8>, usize),
    /// A body that goes on for as long as it is read; counts its bytes.
    Endless(Arc<AtomicUsize>),
    /// Nothing, ever.
    Silence,
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }
}

/// The server; it ends with the test.
pub struct StandIn {
    /// `127.0.0.1:12345`
    pub host: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl StandIn {
    /// Replies depend on what is asked for, and on how many requests came before.
    pub fn start(reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), reply)
    }

    /// The same, where the reply needs to know the address.
    pub fn at(listener: TcpListener, reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let host = listener.local_addr().unwrap().to_string();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, reply) = (requests.clone(), Arc::new(reply));
        std::thread::spawn(move || {
            for client in listener.incoming().map(Result::unwrap) {
                let (seen, reply) = (seen.clone(), reply.clone());
                std::thread::spawn(move || serve(client, &seen, reply.as_ref()));
            }
        });
        Self { host, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// What a registry answers that holds these images as `app:1`.
pub fn registry(images: &Images, request: &Request) -> Reply {
    let manifest = &images.blobs[images.index[0]["digest"].as_str().unwrap()];
    let found = match request.path.strip_prefix("/v2/o/app/") {
        Some("manifests/1") => Some(manifest),
        Some(path) => path.split('/').nth(1).and_then(|digest| images.blobs.get(digest)),
        None => None,
    };
    let Some(blob) = found else {
        return Reply::status(404, r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}"#);
    };
    let from = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        Some(from) if from < blob.len() => {
            let range = format!("bytes {from}-{}/{}", blob.len() - 1, blob.len());
            Reply::status(206, &blob[from..]).with("content-range", &range)
        }
        Some(_) => Reply::status(416, ""),
        None => Reply::ok(blob.clone()).with("docker-content-digest", &sha256(blob)),
    }
}

fn serve(client: TcpStream, seen: &Mutex<Vec<Request>>, reply: &dyn Fn(usize, &Request) -> Reply) {
    let mut writer = client.try_clone().unwrap();
    let mut reader = BufReader::new(client);
    while let Some(request) = Request::read(&mut reader) {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        match reply(number, &request) {
            Reply::Answer { status, headers, body } => {
                let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
                if writer.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                    return;
                }
            }
            Reply::Part(body, length) => {
                let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = writer.write_all(&[head.as_bytes(), &body[..length]].concat());
                return;
            }
            Reply::Silence => loop {
                std::thread::park();
            },
            Reply::Endless(sent) => {
                let _ = writer.write_all(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n[");
                while writer.write_all(&[b' '; 1 << 16]).is_ok() {
                    sent.fetch_add(1 << 16, Ordering::Relaxed);
                }
                return;
            }
        }
    }
}
