//! WASI p2 as far as a toolchain's runtime asks for it: clocks and randomness, and nothing behind the rest.
//!
//! No files, no environment, no arguments, no sockets; output goes nowhere. An outgoing `wasi:http` request fails with
//! a message that names the way out that there is. The clocks tell whole milliseconds, too coarse to time anything
//! but waiting. Made for the first call into it, since most components never do.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::guest::Guest;

/// The precision of both clocks.
const PRECISION: Duration = Duration::from_millis(1);
/// The most random bytes at once.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;
/// The most objects behind WASI that one call may hold: streams, timers, requests that will fail.
const MAX_OBJECTS: usize = 1_000;
/// The largest header fields of one of them, in bytes.
const MAX_FIELDS_BYTES: usize = 8 * 1024;

/// The state behind WASI for one call.
pub struct Wasi {
    ctx: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoHttp,
    table: ResourceTable,
}

impl Default for Wasi {
    fn default() -> Self {
        let ctx = WasiCtx::builder()
            .wall_clock(CoarseWallClock)
            .monotonic_clock(CoarseMonotonicClock(Instant::now()))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM_BYTES)
            .build();
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS_BYTES);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_OBJECTS);
        Self { ctx, http, hooks: NoHttp, table }
    }
}

/// Adds every interface of WASI p2 to a linker.
pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut wasi.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let wasi = self.wasi();
        WasiHttpCtxView { hooks: &mut wasi.hooks, table: &mut wasi.table, ctx: &mut wasi.http }
    }
}

/// What an outgoing request fails with.
const NO_HTTP: &str =
    "wasi:http is not available here: use `http.send` of backoffice:adapter with an endpoint that is configured";

struct NoHttp;

type Io = Box<dyn Future<Output = Result<(), HttpError>> + Send>;
type Exchange = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), HttpError>> + Send>;

impl WasiHttpHooks for NoHttp {
    fn send_request(&mut self, _: http::Request<WasiBody>, _: Option<RequestOptions>, _: Io) -> Exchange {
        Box::new(async { Err(HttpError::InternalError(Some(NO_HTTP.to_owned()))) })
    }
}

struct CoarseWallClock;

impl HostWallClock for CoarseWallClock {
    fn resolution(&self) -> Duration {
        PRECISION
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        whole_millis(now)
    }
}

struct CoarseMonotonicClock(Instant);

impl HostMonotonicClock for CoarseMonotonicClock {
    fn resolution(&self) -> u64 {
        nanos(PRECISION)
    }

    fn now(&self) -> u64 {
        nanos(whole_millis(self.0.elapsed()))
    }
}

fn whole_millis(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Empty};

    #[tokio::test]
    async fn an_outgoing_request_is_told_the_way_out_that_there_is() {
        let body = Empty::new().map_err(HttpError::from).boxed_unsync();
        let request = http::Request::new(body);
        let answer = Box::into_pin(NoHttp.send_request(request, None, Box::new(async { Ok(()) }))).await;
        assert!(matches!(answer, Err(HttpError::InternalError(Some(text))) if text.contains("`http.send`")));
    }

    #[test]
    fn clocks_tell_whole_milliseconds() {
        let monotonic = CoarseMonotonicClock(Instant::now().checked_sub(Duration::from_micros(2_700)).unwrap());
        assert_eq!(monotonic.now() % 1_000_000, 0);
        assert!(monotonic.now() >= 2_000_000);
        assert_eq!(CoarseWallClock.now().subsec_nanos() % 1_000_000, 0);
    }
}
