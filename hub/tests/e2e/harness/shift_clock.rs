//! Preloaded into a hub: a wall clock that goes wrong by as many seconds as the file `HUB_CLOCK` says, at any moment. The monotonic
//! clock is left alone, as it is when a real clock is set. Built by the test itself; no part of any crate.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

#[repr(C)]
pub struct TimeSpec {
    seconds: i64,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn getenv(name: *const c_char) -> *const c_char;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn pread(file: c_int, into: *mut c_void, length: usize, offset: i64) -> isize;
}

#[cfg(target_arch = "x86_64")]
const CLOCK_GETTIME: c_long = 228;
#[cfg(target_arch = "aarch64")]
const CLOCK_GETTIME: c_long = 113;
const REALTIME: c_int = 0;
const REALTIME_COARSE: c_int = 5;
const CLOSE_ON_EXEC: c_int = 0o2_000_000;
const NOT_OPENED: i32 = -2;
static FILE: AtomicI32 = AtomicI32::new(NOT_OPENED);

fn shift() -> i64 {
    let mut file = FILE.load(Ordering::Relaxed);
    if file == NOT_OPENED {
        let name: &CStr = c"HUB_CLOCK";
        let path = unsafe { getenv(name.as_ptr()) };
        file = if path.is_null() { -1 } else { unsafe { open(path, CLOSE_ON_EXEC) } };
        FILE.store(file, Ordering::Relaxed);
    }
    let mut text = [0_u8; 16];
    let read = if file < 0 { 0 } else { unsafe { pread(file, text.as_mut_ptr().cast(), text.len(), 0) } };
    let read = &text[..usize::try_from(read).unwrap_or(0)];
    std::str::from_utf8(read).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut TimeSpec) -> c_int {
    let result = unsafe { syscall(CLOCK_GETTIME, clock, time) };
    if result == 0 && (clock == REALTIME || clock == REALTIME_COARSE) {
        unsafe { (*time).seconds += shift() };
    }
    c_int::try_from(result).unwrap_or(-1)
}
