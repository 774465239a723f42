use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ignores that a thread may have panicked while it held the lock.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
