//! How much all expressions of one file may take together: aliases repeat them, and functions enlarge what they are given.

/// The most bytes that expressions may read and write. It bounds the time that a file takes, and the memory.
const MAX_BYTES: usize = 32 << 20;
/// What an expression takes however short it is.
pub(super) const EACH: usize = 512;

/// What is left of it.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Self(MAX_BYTES)
    }

    /// Takes `bytes` away.
    ///
    /// # Errors
    /// So many are not left.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err("the values of all expressions together are too large".into())
            }
        }
    }
}
