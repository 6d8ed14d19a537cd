//! The threads that components run on, apart from those that serve requests: two lanes.
//!
//! A call begins in the quick lane. One that computes for longer than a tick goes on in the long lane, whose threads
//! the operating system gives less of the processor to while others want it; so whoever computes without end delays
//! others by a tick, and once, however many of its calls run. After one that computed for long a component's calls
//! begin in the long lane, until so many in a row were quick. HTTP requests run on the hub's own runtime, so that they
//! are not delayed either.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// The most threads of a lane; components wait more than they compute.
const MAX_THREADS: usize = 8;
/// What a call may compute in the quick lane, in time of the processor: a tick.
const QUICK: Duration = Duration::from_millis(5);
/// So many quick calls make up for a long one.
const REMEMBERED: u32 = 16;
/// How nice the threads of the long lane are: about a thirtieth of what others get.
const NICENESS: i32 = 15;

/// The runtimes of the components. Dropping it ends what runs there, without waiting.
pub struct GuestRuntime(Option<[Runtime; 2]>);

impl GuestRuntime {
    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn start() -> io::Result<Self> {
        let quick = builder("adapters").build()?;
        let long = builder("adapters-long").on_thread_start(be_nice).build()?;
        Ok(Self(Some([quick, long])))
    }

    /// Where to run calls; nothing once it is being dropped.
    pub fn lanes(&self) -> Option<Lanes> {
        let [quick, long] = self.0.as_ref()?;
        Some(Lanes { quick: quick.handle().clone(), long: long.handle().clone() })
    }
}

fn builder(name: &str) -> Builder {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(threads.clamp(2, MAX_THREADS))
        .thread_name(name)
        // Each step of a component may take a whole tick: look for timers and new work after every one.
        .event_interval(1)
        .global_queue_interval(1)
        .enable_all();
    builder
}

/// On Linux a thread has a niceness of its own.
fn be_nice() {
    if let Err(error) = setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "threads for long calls of adapters are as greedy as others");
    }
}

impl Drop for GuestRuntime {
    fn drop(&mut self) {
        // A plain drop would wait, which is not allowed where futures run.
        for runtime in self.0.take().into_iter().flatten() {
            runtime.shutdown_background();
        }
    }
}

/// Whether the calls of a component are long ones, as far as is known: how many more have to be quick. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<AtomicU32>);

impl Pace {
    fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn was_long(&self) {
        self.0.store(REMEMBERED, Ordering::Relaxed);
    }

    fn was_quick(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
    }
}

/// A call on its way.
struct Running<F> {
    call: Pin<Box<F>>,
    /// What it has had of the processor so far.
    computed: Duration,
    pace: Pace,
}

/// How far a call came in a lane.
enum Stretch<F: Future> {
    Ended(F::Output),
    Long(Running<F>),
}

/// The two lanes.
#[derive(Clone)]
pub struct Lanes {
    quick: Handle,
    long: Handle,
}

impl Lanes {
    /// Runs a call to its end. It is ended where this is dropped, at its next step.
    ///
    /// # Errors
    /// The host's side of it panicked, or the hub is stopping.
    pub async fn run<F>(&self, call: F, pace: &Pace) -> Result<F::Output, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut running = Running { call: Box::pin(call), computed: Duration::ZERO, pace: pace.clone() };
        let mut most = if pace.is_long() { Duration::MAX } else { QUICK };
        loop {
            let lane = if most == Duration::MAX { &self.long } else { &self.quick };
            match AbortOnDropHandle::new(lane.spawn(stretch(running, most))).await? {
                Stretch::Ended(output) => return Ok(output),
                Stretch::Long(rest) => (running, most) = (rest, Duration::MAX),
            }
        }
    }
}

/// Polls a call until it ends or has computed for so long.
async fn stretch<F: Future>(running: Running<F>, most: Duration) -> Stretch<F> {
    let mut kept = Some(running);
    poll_fn(move |context| {
        // Never polled again after it was ready.
        let Some(mut running) = kept.take() else { return Poll::Pending };
        let before = processor_time();
        let polled = running.call.as_mut().poll(context);
        running.computed += processor_time().saturating_sub(before);
        let long = running.computed >= QUICK;
        if long {
            // Known at once: it may never end, or be ended from outside.
            running.pace.was_long();
        }
        match polled {
            Poll::Ready(output) => {
                if !long {
                    running.pace.was_quick();
                }
                Poll::Ready(Stretch::Ended(output))
            }
            Poll::Pending if running.computed >= most => Poll::Ready(Stretch::Long(running)),
            Poll::Pending => {
                kept = Some(running);
                Poll::Pending
            }
        }
    })
    .await
}

/// What this thread has had of the processor: waiting for it is nobody's computing.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn here() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    async fn compute(time: Duration) -> String {
        let until = processor_time() + time;
        while processor_time() < until {
            std::hint::spin_loop();
        }
        tokio::task::yield_now().await;
        here()
    }

    #[tokio::test]
    async fn what_computes_for_long_goes_aside_until_it_was_quick_again() {
        let runtime = GuestRuntime::start().unwrap();
        let (lanes, pace) = (runtime.lanes().unwrap(), Pace::default());
        assert_eq!(lanes.run(async { here() }, &pace).await.unwrap(), "adapters");
        assert_eq!(lanes.run(compute(QUICK * 2), &pace).await.unwrap(), "adapters-long");
        for _ in 0..REMEMBERED {
            assert_eq!(lanes.run(async { here() }, &pace).await.unwrap(), "adapters-long", "it is remembered");
        }
        assert_eq!(lanes.run(async { here() }, &pace).await.unwrap(), "adapters", "and forgotten");
    }

    #[tokio::test]
    async fn a_call_that_is_ended_from_outside_is_remembered_too() {
        let runtime = GuestRuntime::start().unwrap();
        let (lanes, pace) = (runtime.lanes().unwrap(), Pace::default());
        for quick in [REMEMBERED - 1, 2] {
            let (told, long) = tokio::sync::oneshot::channel();
            let endless = async {
                compute(QUICK * 2).await;
                told.send(()).unwrap();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                _ = lanes.run(endless, &pace) => unreachable!("it has no end"),
                _ = long => {}
            }
            for _ in 0..quick {
                assert_eq!(lanes.run(async { here() }, &pace).await.unwrap(), "adapters-long");
            }
        }
    }

    #[tokio::test]
    async fn a_panic_in_either_lane_is_told() {
        let runtime = GuestRuntime::start().unwrap();
        let lanes = runtime.lanes().unwrap();
        let panics = async {
            compute(QUICK * 2).await;
            panic!("told to");
        };
        assert!(lanes.run(panics, &Pace::default()).await.unwrap_err().is_panic());
    }
}
