//! The clock of the sandbox: a thread that moves the epoch of every engine on, every 5 ms.
//!
//! An engine is forgotten when nobody uses it any more; the thread ends with the last handle to the ticker.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::{Engine, EngineWeak};

/// The length of a tick: what a deadline may be missed by.
const TICK: Duration = Duration::from_millis(5);

/// The ticking engines.
pub struct Ticker {
    engines: Mutex<Vec<EngineWeak>>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start() -> io::Result<Arc<Self>> {
        let ticker = Arc::new(Self { engines: Mutex::new(Vec::new()) });
        let weak = Arc::downgrade(&ticker);
        std::thread::Builder::new().name("adapter-ticks".to_owned()).spawn(move || run(&weak))?;
        Ok(ticker)
    }

    /// From now on this engine's epoch moves.
    pub fn add(&self, engine: &Engine) {
        self.engines.lock().push(engine.weak());
    }

    fn tick(&self) {
        self.engines.lock().retain(|engine| {
            let engine = engine.upgrade();
            if let Some(engine) = &engine {
                engine.increment_epoch();
            }
            engine.is_some()
        });
    }
}

fn run(ticker: &Weak<Ticker>) {
    while let Some(ticker) = ticker.upgrade() {
        ticker.tick();
        drop(ticker);
        std::thread::sleep(TICK);
    }
}
