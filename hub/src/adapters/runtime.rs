//! The threads that components run on, apart from those that serve requests.
//!
//! A component that computes holds its thread until the next tick; here it delays other components by that much, and
//! nobody else. Its HTTP requests run on the hub's own runtime, so that they are not delayed either.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// The most threads; components wait more than they compute.
const MAX_THREADS: usize = 8;

/// The runtime of the components. Dropping it ends what runs there, without waiting.
pub struct GuestRuntime(Option<Runtime>);

impl GuestRuntime {
    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn start() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.clamp(2, MAX_THREADS))
            .thread_name("adapters")
            // Each step of a component may take a whole tick: look for timers and new work after every one.
            .event_interval(1)
            .global_queue_interval(1)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to spawn; nothing once it is being dropped.
    pub fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for GuestRuntime {
    fn drop(&mut self) {
        // A plain drop would wait, which is not allowed where futures run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
