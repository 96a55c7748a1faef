//! Futures without a runtime: a simulated world never waits for anything outside of it.

use std::task::{Context, Poll, Waker};

/// Polls a future until it is ready.
pub(crate) fn to_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
