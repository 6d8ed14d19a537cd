//! Faults on demand, so that tests can prove what the hub survives. Only builds with debug assertions have them: in a release
//! nothing is looked for and nothing can be asked for.
//!
//! `HUB_FAULTS` names a folder. A file `<point>@<subject>` in it (a `/` of the subject is written `.`) asks for a fault there,
//! `<point>` alone for one wherever the point is met; it says what and how often: `panic 3`, `error 1`, `block 1`. Each hit
//! takes one off, and the last removes the file: who asked sees what has happened.

/// What is asked for.
#[cfg_attr(not(debug_assertions), allow(dead_code, reason = "a release makes none"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Panic,
    Error,
    Block,
}

/// Meets what is asked for at a point: panics, blocks the thread for good, or gives an error that says so.
///
/// # Errors
/// An error was asked for.
///
/// # Panics
/// A panic was asked for.
#[expect(clippy::panic, reason = "it was asked for")]
pub fn strike(point: &str, subject: &str) -> Result<(), String> {
    match asked::take(point, subject) {
        None => Ok(()),
        Some(Fault::Error) => Err(format!("{point}: an error was asked for")),
        Some(Fault::Panic) => panic!("{point}: a panic was asked for"),
        Some(Fault::Block) => loop {
            std::thread::park();
        },
    }
}

/// Does the work, and meets what is asked for on the way.
///
/// # Errors
/// The work's own, or the one that was asked for.
pub async fn beside(point: &str, subject: &str, work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::select! {
        ended = work => ended,
        Err(asked) = asked::wait(point, subject) => Err(asked),
    }
}

#[cfg(not(debug_assertions))]
mod asked {
    pub(super) const fn take(_: &str, _: &str) -> Option<super::Fault> {
        None
    }

    pub(super) async fn wait(_: &str, _: &str) -> Result<(), String> {
        std::future::pending().await
    }
}

#[cfg(debug_assertions)]
mod asked {
    use std::path::PathBuf;
    use std::sync::LazyLock;
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::Fault;

    /// How often a work's point is looked at.
    const LOOK: Duration = Duration::from_millis(20);

    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os("HUB_FAULTS").map(PathBuf::from));
    /// One hit is taken once, whichever thread meets it.
    static TAKING: Mutex<()> = Mutex::new(());

    pub(super) fn take(point: &str, subject: &str) -> Option<Fault> {
        let folder = FOLDER.as_ref()?;
        let _taking = TAKING.lock();
        let named = folder.join(format!("{point}@{}", subject.replace('/', ".")));
        [named, folder.join(point)].into_iter().find_map(take_one)
    }

    fn take_one(file: PathBuf) -> Option<Fault> {
        let asked = std::fs::read_to_string(&file).ok()?;
        let (name, times) = asked.trim().split_once(' ')?;
        let fault = match name {
            "panic" => Fault::Panic,
            "error" => Fault::Error,
            "block" => Fault::Block,
            _ => return None,
        };
        let left = times.parse::<u32>().ok()?.saturating_sub(1);
        let written =
            if left == 0 { std::fs::remove_file(file) } else { std::fs::write(file, format!("{name} {left}")) };
        written.ok().map(|()| fault)
    }

    pub(super) async fn wait(point: &str, subject: &str) -> Result<(), String> {
        if FOLDER.is_none() {
            return std::future::pending().await;
        }
        loop {
            super::strike(point, subject)?;
            tokio::time::sleep(LOOK).await;
        }
    }
}
