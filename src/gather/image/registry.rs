//! Asks a registry for manifests and blobs: logs in where it is asked to, waits where that helps, takes up a blob again
//! where it broke off, and never takes in more than it has room for.
//!
//! The `oci-client` crate is not used for it: it takes manifests, tokens and error pages of any length into memory, loses
//! the status and the `Retry-After` of an answer, knows no identity tokens, and sends a password wherever a registry says.

mod fault;
mod token;

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_RANGE, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::sync::mpsc::Sender;

use super::Options;
use super::credentials::{Login, VARIABLES};
use super::digest::Digest;
use super::error::{ImageError, LayerFault, Limit, RegistryFault};
use super::limits::Limits;
use super::manifest::{self, Descriptor, MEDIA_TYPES};
use super::reference::{Reference, is_loopback};
use super::stream::{Check, Piece};
use crate::secret::{Learn, Secrets};

/// So often is asked for something that fails in a way that passes by itself.
const ATTEMPTS: u32 = 4;
/// Nobody waits longer because a registry asks for it.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// Through so many addresses may an answer lead.
const MOST_REDIRECTS: usize = 5;
/// No error is read further.
const MOST_ERROR: u64 = 64 << 10;

/// What is called with secrets.
/// What a request shows of who asks.
#[derive(Clone, PartialEq, Eq)]
enum Access {
    Nothing,
    Basic(String, String),
    Bearer(String),
}

/// The repository of an image in a registry.
pub struct Registry {
    client: Client,
    reference: Reference,
    login: Login,
    access: Mutex<Access>,
    secrets: Mutex<Secrets>,
    learn: Learn,
    /// Whether TLS is spoken: always, but on this machine, where it depends.
    tls: AtomicBool,
    silence: Duration,
}

impl Registry {
    /// For the image of this name.
    ///
    /// # Errors
    /// There is no TLS on this system.
    pub fn new(reference: &Reference, options: &Options) -> Result<Self, ImageError> {
        // The one provider of the program, should nobody have come here before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Limits { silence, .. } = options.limits;
        let is_local = reference.is_local();
        let policy = Policy::custom(move |attempt| redirect(attempt, is_local));
        let agent = concat!("migration-preflight/", env!("CARGO_PKG_VERSION"));
        let builder = Client::builder().user_agent(agent).redirect(policy).referer(false);
        let builder = builder.connect_timeout(silence.min(Duration::from_secs(10))).read_timeout(silence);
        // What is on this machine is not reached through another.
        let builder = if is_local { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| ImageError::Registry {
            registry: reference.registry.clone(),
            fault: RegistryFault::Tls(fault::innermost(&error.without_url())),
        })?;
        let access = match &options.login.proof {
            super::credentials::Proof::Token(token) => Access::Bearer(token.clone()),
            // Only once it is asked for.
            _ => Access::Nothing,
        };
        Ok(Self {
            client,
            reference: reference.clone(),
            login: options.login.clone(),
            access: Mutex::new(access),
            secrets: Mutex::new(options.login.secrets()),
            learn: options.learn.clone(),
            tls: AtomicBool::new(!is_local),
            silence,
        })
    }

    /// A manifest by its tag or digest, which has to hash to `digest`.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn manifest(
        &self,
        version: &str,
        digest: Option<&Digest>,
        size: Option<u64>,
    ) -> Result<Vec<u8>, ImageError> {
        let path = format!("manifests/{version}");
        let response = self.get(&path, Some(&MEDIA_TYPES.join(", ")), 0).await.map_err(|fault| self.error(fault))?;
        let bytes = self.body(response, &format!("the manifest of {}", self.reference), manifest::MOST_BYTES).await?;
        match digest {
            Some(digest) if !digest.fits(&bytes) || size.is_some_and(|size| size != bytes.len() as u64) => {
                Err(ImageError::Mismatch { digest: digest.to_string() })
            }
            _ => Ok(bytes),
        }
    }

    /// A small blob.
    ///
    /// # Errors
    /// It cannot be had, or is not what its descriptor says.
    pub async fn blob(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, ImageError> {
        let path = format!("blobs/{}", descriptor.digest);
        let response = self.get(&path, None, 0).await.map_err(|fault| self.error(fault))?;
        let bytes = self.body(response, &format!("the blob {}", descriptor.digest), most).await?;
        let fits = bytes.len() as u64 == descriptor.size && descriptor.digest.fits(&bytes);
        if fits { Ok(bytes) } else { Err(ImageError::Mismatch { digest: descriptor.digest.to_string() }) }
    }

    /// Sends a layer into a queue, holding it against its digest.
    pub async fn send(&self, descriptor: &Descriptor, queue: &Sender<Piece>) {
        let mut check = Check::blob(&descriptor.digest, descriptor.size);
        let end = match self.pour(descriptor, &mut check, queue).await {
            Ok(()) => check.finish().map_or_else(Piece::Failed, |()| Piece::Verified),
            Err(error) => Piece::Failed(error),
        };
        // Whoever does not read on needs no end either.
        let _ = queue.send(end).await;
    }

    /// Sends what is left of a layer, again and again where the connection breaks off.
    async fn pour(&self, descriptor: &Descriptor, check: &mut Check, queue: &Sender<Piece>) -> Result<(), ImageError> {
        let path = format!("blobs/{}", descriptor.digest);
        for attempt in 0.. {
            let mut response = match self.get(&path, None, check.seen()).await {
                Ok(response) => response,
                Err(RegistryFault::NotFound { .. }) => return Err(check.fault(LayerFault::Missing)),
                // There is no more than came already.
                Err(RegistryFault::Status { status: 416, .. }) if check.seen() > 0 => return Ok(()),
                Err(fault) => return Err(self.error(fault)),
            };
            // Who does not know ranges begins anew.
            let mut known = if response.status() == StatusCode::PARTIAL_CONTENT { 0 } else { check.seen() };
            let broken = loop {
                match response.chunk().await {
                    Ok(Some(mut bytes)) => {
                        let skipped = usize::try_from(known).unwrap_or(usize::MAX).min(bytes.len());
                        let _ = bytes.split_to(skipped);
                        known -= skipped as u64;
                        check.update(&bytes)?;
                        if !bytes.is_empty() && queue.send(Piece::Data(bytes)).await.is_err() {
                            return Err(ImageError::Interrupted);
                        }
                    }
                    Ok(None) => return Ok(()),
                    Err(error) => break fault::of(error),
                }
            };
            if attempt >= ATTEMPTS || !fault::passes(&broken) {
                return Err(self.error(broken));
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Ok(())
    }

    /// The body of an answer, if it is not too large.
    async fn body(&self, mut response: Response, what: &str, most: u64) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.error(fault::of(error)))? {
            if (bytes.len() + chunk.len()) as u64 > most {
                return Err(ImageError::Limit(Limit::Document { what: what.to_owned(), most }));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Asks for something of the repository, from byte `from` on; logs in once where that is asked for, and asks again
    /// what fails in a way that passes by itself.
    async fn get(&self, path: &str, accept: Option<&str>, from: u64) -> Result<Response, RegistryFault> {
        let (mut attempt, mut logged_in) = (0, false);
        loop {
            let fault = match self.once(path, accept, from).await {
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !logged_in => {
                    logged_in = true;
                    self.log_in(&response).await?;
                    continue;
                }
                Ok(response) => match self.judge(response, from).await {
                    Ok(response) => return Ok(response),
                    Err(fault) => fault,
                },
                Err(fault) => fault,
            };
            // What the other side does not take for TLS, or for a request, may be the other of the two.
            if self.reference.is_local() && self.may_be_tls(&fault) {
                self.tls.store(true, Relaxed);
                continue;
            }
            let wait = match &fault {
                RegistryFault::RateLimited(Some(wait)) => *wait,
                _ => pause(attempt),
            };
            attempt += 1;
            if attempt >= ATTEMPTS || !fault::passes(&fault) || wait > MOST_WAIT {
                return Err(fault);
            }
            tracing::debug!(%fault, ?wait, "the registry is asked again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, path: &str, accept: Option<&str>, from: u64) -> Result<Response, RegistryFault> {
        let scheme = if self.tls.load(Relaxed) { "https" } else { "http" };
        let url = format!("{scheme}://{}/v2/{}/{path}", self.reference.host(), self.reference.repository);
        let mut request = self.client.get(url);
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let request = match self.access() {
            Access::Nothing => request,
            Access::Basic(username, password) => request.basic_auth(username, Some(password)),
            Access::Bearer(token) => request.bearer_auth(token),
        };
        self.ask(request).await
    }

    /// Sends a request. The time for the head of the answer is bounded here; that for its body by the client.
    async fn ask(&self, request: RequestBuilder) -> Result<Response, RegistryFault> {
        let asked = tokio::time::timeout(self.silence, request.send()).await;
        asked.map_err(|_| RegistryFault::TimedOut)?.map_err(fault::of)
    }

    /// A good answer, or what is wrong with it.
    async fn judge(&self, response: Response, from: u64) -> Result<Response, RegistryFault> {
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        if status == StatusCode::PARTIAL_CONTENT && from > 0 {
            let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            let fits = range.is_some_and(|range| range.trim().starts_with(&format!("bytes {from}-")));
            return if fits { Ok(response) } else { Err(RegistryFault::Odd("it is of another range".to_owned())) };
        }
        let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        let message = self.message(response).await;
        Err(match status.as_u16() {
            401 | 403 => self.refused(message),
            404 => RegistryFault::NotFound { message },
            429 => RegistryFault::RateLimited(wait.map(Duration::from_secs)),
            status => RegistryFault::Status { status, message },
        })
    }

    fn refused(&self, message: String) -> RegistryFault {
        let host = self.reference.registry.clone();
        if self.login.is_anonymous() {
            RegistryFault::Anonymous { host, variables: VARIABLES }
        } else {
            RegistryFault::Refused { host, from: self.login.from.clone(), message }
        }
    }

    /// Does what the registry asks for before it answers.
    async fn log_in(&self, response: &Response) -> Result<(), RegistryFault> {
        let challenges = response.headers().get_all(WWW_AUTHENTICATE);
        let challenges: Vec<_> = challenges.iter().filter_map(|value| value.to_str().ok()).collect();
        let access = token::access(self, &challenges).await?;
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = access;
        Ok(())
    }

    fn access(&self) -> Access {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on `token` stands in no message.
    fn learn(&self, token: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.add_plain_password(token);
        self.learn.tell(&secrets);
    }

    /// What a registry says of an error: short, on one line, without secrets.
    async fn message(&self, response: Response) -> String {
        let body = self.body(response, "", MOST_ERROR).await.unwrap_or_default();
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        super::super::redact::retold(&secrets, &fault::message(&body))
    }

    fn may_be_tls(&self, fault: &RegistryFault) -> bool {
        let odd = matches!(fault, RegistryFault::Status { status: 400, .. } | RegistryFault::Unreachable(_));
        odd && !self.tls.load(Relaxed)
    }

    fn error(&self, fault: RegistryFault) -> ImageError {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match fault {
            RegistryFault::Unreachable(text) => {
                RegistryFault::Unreachable(super::super::redact::retold(&secrets, &text))
            }
            RegistryFault::Odd(text) => RegistryFault::Odd(super::super::redact::retold(&secrets, &text)),
            fault => fault,
        };
        ImageError::Registry { registry: self.reference.to_string(), fault }
    }
}

/// How long to wait before the next attempt.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(250 << attempt.min(5))
}

/// Layers are most often kept elsewhere, and that may be anywhere but where anybody can listen.
fn redirect(attempt: Attempt<'_>, is_local: bool) -> reqwest::redirect::Action {
    let url = attempt.url();
    let secure = url.scheme() == "https" || is_local && url.host_str().is_some_and(is_loopback);
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error(Astray("its answer leads from one address to the next"))
    } else if secure {
        attempt.follow()
    } else {
        attempt.error(Astray("its answer leads to an address without TLS"))
    }
}

/// Why the address that an answer leads to is not asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Astray(&'static str);

/// Whether an error has one of another kind below it.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| error.downcast_ref())
}
