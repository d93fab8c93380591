//! How a run ends that comes to no verdict: by a panic, which is a mistake of ours, or by a signal. What it has started
//! ends with it: commands are no part of our process group, so that nobody else tells them.

use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::publish;

/// The exit code for a mistake in this very program: nothing was found out, which is the least that 3 says.
const INTERNAL: u8 = 3;

/// As much as the main thread of a process has, which what is read here has been tried with.
const STACK: usize = 8 << 20;

/// How long a run may take to end what it has started. While commands run, it waits for nothing else.
const GRACE: Duration = Duration::from_secs(1);

/// Runs `program` so that a panic in it is one line on standard error and an exit code of ours.
pub fn calmly(program: impl FnOnce() -> ExitCode) -> ExitCode {
    publish::calm_panics();
    std::panic::catch_unwind(AssertUnwindSafe(program)).unwrap_or(ExitCode::from(INTERNAL))
}

/// The exit code of `run`, which has a thread of its own; or, as a shell has it, that of the signal that ended it.
///
/// # Errors
/// There is no thread for it.
pub fn unless_interrupted<F: Future<Output = ExitCode>>(
    runtime: &Runtime,
    run: impl FnOnce() -> F + Send + 'static,
) -> io::Result<ExitCode> {
    // Before anything is started.
    let signals = {
        let _runtime = runtime.enter();
        Signals::listen()
    };
    let ((interrupt, interrupted), (done, ended)) = (oneshot::channel::<()>(), oneshot::channel());
    let handle = runtime.handle().clone();
    let unless = move || {
        calmly(|| {
            handle.block_on(async {
                match select(pin!(run()), interrupted).await {
                    Either::Left((code, _)) => code,
                    Either::Right(_) => ExitCode::from(INTERNAL),
                }
            })
        })
    };
    let thread = std::thread::Builder::new().name("run".to_owned()).stack_size(STACK);
    thread.spawn(move || done.send(unless()))?;
    Ok(runtime.block_on(async {
        match select(ended, pin!(signals.any())).await {
            Either::Left((code, _)) => code.unwrap_or(ExitCode::from(INTERNAL)),
            Either::Right((code, ended)) => {
                drop(interrupt);
                let _ = tokio::time::timeout(GRACE, ended).await;
                ExitCode::from(code)
            }
        }
    }))
}

/// What interrupts a run: Ctrl-C, and whoever asks it to end.
struct Signals {
    #[cfg(unix)]
    each: Vec<(tokio::signal::unix::Signal, u8)>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let each = [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)];
        Self { each: each.into_iter().filter_map(|(kind, code)| Some((signal(kind).ok()?, code))).collect() }
    }

    /// The exit code for the first of them.
    #[cfg(unix)]
    async fn any(mut self) -> u8 {
        let each = self.each.iter_mut().map(|(signal, code)| {
            Box::pin(async move {
                signal.recv().await;
                *code
            })
        });
        let each: Vec<_> = each.collect();
        if each.is_empty() { pending().await } else { futures_util::future::select_all(each).await.0 }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn any(self) -> u8 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => 130,
            Err(_) => pending().await,
        }
    }
}
