//! The clock of the sandbox: a thread that moves the epoch of every engine on, every 5 ms.
//!
//! An engine is forgotten when nobody uses it any more; where there is none the thread rests. It ends with the last
//! handle to the ticker.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use wasmtime::{Engine, EngineWeak};

/// The length of a tick: what a deadline may be missed by.
const TICK: Duration = Duration::from_millis(5);

/// The ticking engines.
pub struct Ticker(Arc<Clock>);

/// What a ticker and its thread share.
#[derive(Default)]
struct Clock {
    engines: Mutex<Engines>,
    /// There is an engine, or there will be none.
    changed: Condvar,
}

#[derive(Default)]
struct Engines {
    ticking: Vec<EngineWeak>,
    ended: bool,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start() -> io::Result<Arc<Self>> {
        let clock = Arc::<Clock>::default();
        let ticker = Arc::new(Self(clock.clone()));
        std::thread::Builder::new().name("adapter-ticks".to_owned()).spawn(move || clock.run())?;
        Ok(ticker)
    }

    /// From now on this engine's epoch moves.
    pub fn add(&self, engine: &Engine) {
        self.0.engines.lock().ticking.push(engine.weak());
        self.0.changed.notify_one();
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.engines.lock().ended = true;
        self.0.changed.notify_one();
    }
}

impl Clock {
    fn run(&self) {
        let mut engines = self.engines.lock();
        while !engines.ended {
            if engines.ticking.is_empty() {
                self.changed.wait(&mut engines);
                continue;
            }
            engines.tick();
            MutexGuard::unlocked(&mut engines, || std::thread::sleep(TICK));
        }
    }
}

impl Engines {
    fn tick(&mut self) {
        self.ticking.retain(|engine| {
            let engine = engine.upgrade();
            if let Some(engine) = &engine {
                engine.increment_epoch();
            }
            engine.is_some()
        });
    }
}
