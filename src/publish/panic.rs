//! What becomes of a panic: a calm line instead of a dump, and no secret in it.

use std::panic::{self, Location, PanicHookInfo};
use std::thread;

use super::{complain, guard};

/// From now on a panic on this thread, which nothing can come back from, is one line on standard error.
///
/// A panic on any other thread is caught where the thread was started, and the target that it was for becomes one that
/// could not be read: a driver panics on what a server sends. That is told in the report and, with its place, in the
/// log, and nowhere else.
pub fn calm_panics() {
    let own = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        let (place, message) = (place(info.location()), message(info));
        if thread::current().id() == own {
            complain(&format!("internal error at {place}: {message}; please report it with this line"));
        } else {
            tracing::error!(place, message, "a task panicked; what it was for is reported as not read");
        }
    }));
}

fn message(info: &PanicHookInfo) -> String {
    guard::line(info.payload_as_str().unwrap_or("no message"))
}

/// `src/gather.rs:12`; of a library only what follows its registry, because the rest is the path of a build machine.
fn place(location: Option<&Location>) -> String {
    let Some(location) = location else { return "an unknown place".to_owned() };
    let file = location.file().replace('\\', "/");
    let file = match file.split_once("/registry/src/") {
        Some((_, library)) => library.split_once('/').map_or(library, |(_, path)| path),
        None => &file,
    };
    format!("{file}:{}", location.line())
}
