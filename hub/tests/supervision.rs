//! Supervision on a real actix system: what an actor can do to itself, and what others see of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::prelude::*;
use hub::actors::{
    ActorReport, ActorState, ActorSystem, ChildSpec, Lifeline, Mailbox, MailboxError, RestartPolicy, Seat, TaskSpec,
    Tree, TreeError, group, supervise, supervise_task,
};
use tokio::sync::{Semaphore, oneshot};

const LONG: Duration = Duration::from_secs(20);

/// An actor that does whatever it is told to.
struct Patient {
    lifeline: Lifeline,
    handled: u32,
}

impl Actor for Patient {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u32")]
enum Do {
    Count,
    Panic,
    PanicLater,
    Stop,
    Die,
    CondemnLater,
    /// Blocks the thread until the test lets go.
    Block(std::sync::mpsc::Receiver<()>),
}

impl Handler<Do> for Patient {
    type Result = ResponseFuture<u32>;

    fn handle(&mut self, what: Do, context: &mut Self::Context) -> Self::Result {
        self.handled += 1;
        let (handled, lifeline) = (self.handled, self.lifeline.clone());
        match what {
            Do::Count => {}
            Do::Panic => panic!("told to"),
            Do::PanicLater => return Box::pin(async { panic!("told to, later") }),
            Do::Stop => context.stop(),
            Do::Die => lifeline.die(context, "the outcome of an append is unknown"),
            Do::CondemnLater => {
                return Box::pin(async move {
                    lifeline.condemn("a future found out");
                    handled
                });
            }
            Do::Block(until) => drop(until.recv()),
        }
        Box::pin(std::future::ready(handled))
    }
}

/// Answers when the test says so, from a future that outlives the actor.
#[derive(Message)]
#[rtype(result = "&'static str")]
struct Hold(oneshot::Receiver<()>);

impl Handler<Hold> for Patient {
    type Result = ResponseFuture<&'static str>;

    fn handle(&mut self, hold: Hold, _: &mut Self::Context) -> Self::Result {
        Box::pin(async move {
            let _ = hold.0.await;
            "done"
        })
    }
}

/// Holds the whole actor up, but not its thread.
#[derive(Message)]
#[rtype(result = "()")]
struct Hang;

impl Handler<Hang> for Patient {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Hang, _: &mut Self::Context) -> Self::Result {
        AtomicResponse::new(Box::pin(actix::fut::wrap_future(std::future::pending())))
    }
}

struct Ward {
    system: ActorSystem,
    tree: Tree,
}

impl Ward {
    fn open() -> Self {
        let system = ActorSystem::start().unwrap();
        let tree = Tree::new(&system);
        Self { system, tree }
    }

    fn admit(&self, parent: &str, name: &str, seat: Seat) -> Mailbox<Patient> {
        self.admit_with(parent, name, seat, quick()).0
    }

    fn admit_with(
        &self,
        parent: &str,
        name: &str,
        seat: Seat,
        policy: RestartPolicy,
    ) -> (Mailbox<Patient>, Arc<AtomicUsize>) {
        let lives = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lives);
        let factory = Box::new(move |lifeline| {
            count.fetch_add(1, Ordering::SeqCst);
            Patient { lifeline, handled: 0 }
        });
        let spec = ChildSpec { name: name.to_owned(), mailbox: 4, seat, factory, policy };
        (supervise(&self.tree, parent, spec).unwrap(), lives)
    }

    fn report(&self, name: &str) -> ActorReport {
        self.tree.report().actors.into_iter().find(|actor| actor.name == name).unwrap()
    }

    async fn until(&self, name: &str, test: impl Fn(&ActorReport) -> bool) -> ActorReport {
        tokio::time::timeout(LONG, async {
            loop {
                let report = self.report(name);
                if test(&report) {
                    return report;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{:?}", self.report(name)))
    }

    /// Waits for the life after the `restarts`-th failure.
    async fn risen(&self, name: &str, restarts: u64) -> ActorReport {
        self.until(name, |actor| actor.state == ActorState::Running && actor.restarts == restarts).await
    }

    async fn close(self) {
        assert!(self.tree.stop(LONG).await);
        self.system.stop(LONG).await.unwrap();
    }
}

fn quick() -> RestartPolicy {
    RestartPolicy {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(20),
        jitter: 0.0,
        budget: 3,
        window: LONG,
        healthy_after: LONG,
        stuck_after: Duration::from_millis(400),
    }
}

fn reason(report: &ActorReport) -> &str {
    &report.last_failure.as_ref().unwrap().reason
}

async fn fails_and_rises(what: Do, expected: &str) {
    let ward = Ward::open();
    let thread = ward.system.thread("shared").await.unwrap();
    let patient = ward.admit("", "patient", Seat::Shared(thread.clone()));
    let neighbour = ward.admit("", "neighbour", Seat::Shared(thread));
    patient.started().await.unwrap();
    neighbour.started().await.unwrap();
    assert_eq!(patient.ask(Do::Count).await, Ok(1));
    assert_eq!(neighbour.ask(Do::Count).await, Ok(1));
    let _ = patient.ask(what).await;
    let report = ward.risen("patient", 1).await;
    assert_eq!(reason(&report), expected);
    assert_eq!(patient.ask(Do::Count).await, Ok(1), "a new life knows nothing of the last");
    assert_eq!(neighbour.ask(Do::Count).await, Ok(2), "a sibling is not disturbed");
    ward.close().await;
}

#[tokio::test]
async fn a_panic_in_a_handler_is_survived() {
    fails_and_rises(Do::Panic, "panicked").await;
}

#[tokio::test]
async fn a_panic_in_a_handlers_future_is_survived() {
    fails_and_rises(Do::PanicLater, "a reply was lost: a handler's future panicked or was dropped").await;
}

#[tokio::test]
async fn an_actor_that_stops_is_made_again() {
    fails_and_rises(Do::Stop, "stopped itself").await;
}

#[tokio::test]
async fn an_actor_dies_for_a_reason_of_its_own() {
    fails_and_rises(Do::Die, "the outcome of an append is unknown").await;
}

#[tokio::test]
async fn a_future_condemns_its_actor() {
    fails_and_rises(Do::CondemnLater, "a future found out").await;
}

#[tokio::test]
async fn messages_that_wait_when_the_actor_dies_are_answered_and_those_under_way_finish() {
    let ward = Ward::open();
    let patient = ward.admit("", "patient", Seat::Own);
    patient.started().await.unwrap();
    let (finish, until) = oneshot::channel();
    let flying = tokio::spawn({
        let patient = patient.clone();
        async move { patient.ask(Hold(until)).await }
    });
    ward.until("patient", |actor| actor.mailbox_depth == 1).await;
    let (release, block) = std::sync::mpsc::sync_channel(16);
    // All three are sent before the first is handled: the thread is blocked meanwhile.
    let blocked = patient.ask(Do::Block(block));
    let (dying, waiting) = (patient.ask(Do::Die), patient.ask(Do::Count));
    let release = async {
        ward.until("patient", |actor| actor.mailbox_depth == 4).await;
        release.send(()).unwrap();
    };
    let (_, dying, waiting, ()) = tokio::join!(blocked, dying, waiting, release);
    assert!(matches!(dying, Ok(_) | Err(MailboxError::Restarting)));
    assert_eq!(waiting, Err(MailboxError::Restarting));
    ward.risen("patient", 1).await;
    finish.send(()).unwrap();
    assert_eq!(flying.await.unwrap(), Ok("done"), "what is under way in a future of its own outlives the actor");
    ward.close().await;
}

#[tokio::test]
async fn a_full_mailbox_refuses_at_once_and_an_absent_caller_keeps_its_place() {
    let ward = Ward::open();
    let patient = ward.admit("", "patient", Seat::Own);
    patient.started().await.unwrap();
    let mut finishes = Vec::new();
    let mut callers = Vec::new();
    for _ in 0..4 {
        let (finish, until) = oneshot::channel();
        finishes.push(finish);
        let patient = patient.clone();
        callers.push(tokio::spawn(async move { patient.ask(Hold(until)).await }));
    }
    ward.until("patient", |actor| actor.mailbox_depth == 4).await;
    assert_eq!(patient.clone().ask(Do::Count).await, Err(MailboxError::Overloaded), "a clone has no place of its own");
    let gone = callers.remove(0);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(patient.ask(Do::Count).await, Err(MailboxError::Overloaded));
    let report = ward.report("patient");
    assert_eq!((report.mailbox_depth, report.mailbox_capacity, report.overloaded), (4, 4, 2));
    finishes.remove(0).send(()).unwrap();
    ward.until("patient", |actor| actor.mailbox_depth == 3).await;
    assert_eq!(patient.ask(Do::Count).await, Ok(1));
    // Work that is done beside the actor counts like a message, for as long as it takes.
    let place = patient.place().unwrap();
    assert_eq!(patient.place().map(drop), Err(MailboxError::Overloaded));
    assert_eq!(patient.ask(Do::Count).await, Err(MailboxError::Overloaded));
    let report = ward.report("patient");
    assert_eq!((report.mailbox_depth, report.overloaded), (4, 4));
    drop(place);
    assert_eq!(patient.ask(Do::Count).await, Ok(2));
    drop(finishes);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok("done"));
    }
    ward.close().await;
}

#[tokio::test]
async fn a_hanging_actor_is_ended_without_costing_its_thread() {
    let ward = Ward::open();
    let patient = ward.admit("", "patient", Seat::Own);
    patient.started().await.unwrap();
    assert_eq!(patient.ask(Hang).await, Err(MailboxError::Restarting));
    let report = ward.risen("patient", 1).await;
    assert!(reason(&report).starts_with("no progress on waiting work for"), "{report:?}");
    assert_eq!(ward.tree.report().abandoned_threads, 0);
    assert_eq!(patient.ask(Do::Count).await, Ok(1));
    ward.close().await;
}

#[tokio::test]
async fn a_blocked_thread_is_abandoned_its_neighbours_move_and_the_second_is_fatal() {
    let ward = Ward::open();
    let thread = ward.system.thread("shared").await.unwrap();
    let patient = ward.admit("", "patient", Seat::Shared(thread.clone()));
    let neighbour = ward.admit("", "neighbour", Seat::Shared(thread));
    let apart = ward.admit("", "apart", Seat::Own);
    for mailbox in [&patient, &neighbour, &apart] {
        mailbox.started().await.unwrap();
    }
    let (release, block) = std::sync::mpsc::sync_channel(16);
    let (blocked, waiting) = tokio::join!(patient.ask(Do::Block(block)), patient.ask(Do::Count));
    assert_eq!((blocked, waiting), (Err(MailboxError::Restarting), Err(MailboxError::Restarting)));
    ward.risen("patient", 1).await;
    assert_eq!(ward.tree.report().abandoned_threads, 1);
    assert_eq!(patient.ask(Do::Count).await, Ok(1));
    ward.risen("neighbour", 1).await;
    assert_eq!(neighbour.ask(Do::Count).await, Ok(1));
    assert_eq!(ward.tree.report().abandoned_threads, 1, "one thread is counted once");
    assert_eq!(ward.report("apart").restarts, 0);

    // The dead life comes back to its senses: it must not take its successor off the air.
    release.send(()).unwrap();
    let (release, block) = std::sync::mpsc::sync_channel(16);
    assert_eq!(apart.ask(Do::Block(block)).await, Err(MailboxError::Restarting));
    let fatal = tokio::time::timeout(LONG, ward.tree.fatal()).await.unwrap();
    assert_eq!(fatal.to_string(), "`apart` is given up: a second thread hangs in an actor");
    assert_eq!(patient.ask(Do::Count).await, Ok(2));
    release.send(()).unwrap();
    ward.close().await;
}

#[tokio::test]
async fn a_spent_budget_escalates_group_by_group_up_to_the_root() {
    let ward = Ward::open();
    let once = RestartPolicy { budget: 1, ..quick() };
    group(&ward.tree, "", "clients", once).unwrap();
    let (shard, lives) = ward.admit_with("clients", "shard-0", Seat::Own, once);
    let (sibling, sibling_lives) = ward.admit_with("clients", "shard-1", Seat::Own, quick());
    let stranger = ward.admit("", "stranger", Seat::Own);
    for mailbox in [&shard, &sibling, &stranger] {
        mailbox.started().await.unwrap();
    }
    let _ = shard.ask(Do::Panic).await;
    ward.risen("clients/shard-0", 1).await;
    assert_eq!(sibling_lives.load(Ordering::SeqCst), 1, "within its budget a child falls alone");
    let _ = shard.ask(Do::Panic).await;
    let report = ward.risen("clients", 1).await;
    assert_eq!(reason(&report), "clients/shard-0: panicked");
    ward.risen("clients/shard-1", 1).await;
    ward.risen("clients/shard-0", 2).await;
    assert_eq!((lives.load(Ordering::SeqCst), sibling_lives.load(Ordering::SeqCst)), (3, 2));
    for restarts in [3, 4] {
        let _ = shard.ask(Do::Panic).await;
        if restarts == 3 {
            ward.risen("clients/shard-0", restarts).await;
        }
    }
    let fatal = tokio::time::timeout(LONG, ward.tree.fatal()).await.unwrap();
    assert_eq!((fatal.path.as_str(), fatal.reason.as_str()), ("clients", "clients/shard-0: panicked"));
    assert_eq!(ward.tree.failed(), ["clients", "clients/shard-0"]);
    assert_eq!(shard.ask(Do::Count).await, Err(MailboxError::Restarting));
    assert_eq!(shard.place().map(drop), Err(MailboxError::Restarting));
    assert_eq!(ward.report("stranger").restarts, 0);
    ward.close().await;
}

#[tokio::test]
async fn a_healthy_life_restores_the_budget() {
    let ward = Ward::open();
    let policy = RestartPolicy { budget: 1, healthy_after: Duration::ZERO, ..quick() };
    let (patient, lives) = ward.admit_with("", "patient", Seat::Own, policy);
    patient.started().await.unwrap();
    for restarts in 1..6 {
        let _ = patient.ask(Do::Panic).await;
        ward.risen("patient", restarts).await;
    }
    assert_eq!(lives.load(Ordering::SeqCst), 6);
    ward.close().await;
}

#[tokio::test]
async fn a_factory_that_panics_is_a_failure_like_any_other() {
    let ward = Ward::open();
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let factory = Box::new(move |lifeline| {
        assert!(count.fetch_add(1, Ordering::SeqCst) >= 2, "not yet");
        Patient { lifeline, handled: 0 }
    });
    let spec = ChildSpec { name: "late".to_owned(), mailbox: 1, seat: Seat::Own, factory, policy: quick() };
    let late = supervise(&ward.tree, "", spec).unwrap();
    late.started().await.unwrap();
    assert_eq!(late.ask(Do::Count).await, Ok(1));
    assert_eq!(ward.report("late").restarts, 2);
    ward.close().await;
}

#[tokio::test]
async fn a_task_is_restarted_and_leaves_when_asked() {
    let ward = Ward::open();
    let (lives, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let factory = {
        let (lives, left) = (Arc::clone(&lives), Arc::clone(&left));
        move |lifeline: Lifeline| {
            let (life, left) = (lives.fetch_add(1, Ordering::SeqCst), Arc::clone(&left));
            async move {
                match life {
                    0 => panic!("told to"),
                    1 => Err("lost its connection".to_owned()),
                    _ => {
                        lifeline.leaving().await;
                        left.add_permits(1);
                        Ok(())
                    }
                }
            }
        }
    };
    supervise_task(&ward.tree, "", TaskSpec { name: "notifier".to_owned(), seat: Seat::Own, factory, policy: quick() })
        .unwrap();
    let report = ward.risen("notifier", 2).await;
    assert_eq!(reason(&report), "lost its connection");
    ward.close().await;
    assert_eq!(left.available_permits(), 1);
}

#[tokio::test]
async fn names_are_unique_parents_are_known_and_a_stopped_actor_says_so() {
    let ward = Ward::open();
    group(&ward.tree, "", "clients", quick()).unwrap();
    assert_eq!(group(&ward.tree, "", "clients", quick()), Err(TreeError::Duplicate("clients".to_owned())));
    let unknown = group(&ward.tree, "client", "x", quick()).unwrap_err();
    assert_eq!(unknown.to_string(), "the tree has no group `client`; it has ``, `clients`");
    let patient = ward.admit("clients", "shard-0", Seat::Own);
    patient.started().await.unwrap();
    assert!(ward.tree.degraded().is_empty());
    let mut text = String::new();
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register_collector(Box::new(ward.tree.clone()));
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("hub_mailbox_depth{actor=\"clients/shard-0\"} 0"), "{text}");
    assert!(ward.tree.stop(LONG).await);
    assert_eq!(patient.ask(Do::Count).await, Err(MailboxError::Closed));
    assert_eq!(ward.report("clients/shard-0").state, ActorState::Stopped);
    ward.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_and_failures_every_message_is_answered() {
    let ward = Ward::open();
    let policy =
        RestartPolicy { budget: 1_000, initial: Duration::from_millis(1), max: Duration::from_millis(1), ..quick() };
    let (patient, _) = ward.admit_with("", "patient", Seat::Own, policy);
    patient.started().await.unwrap();
    let callers: Vec<_> = (0..8_u32)
        .map(|caller| {
            let patient = patient.clone();
            tokio::spawn(async move {
                for turn in 0..200 {
                    let what = match (caller, turn % 20) {
                        (0, 7) => Do::Panic,
                        (1, 11) => Do::Die,
                        (2, 13) => Do::PanicLater,
                        _ => Do::Count,
                    };
                    let answer = tokio::time::timeout(LONG, patient.ask(what)).await.expect("an answer");
                    assert_ne!(answer, Err(MailboxError::Closed));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    ward.until("patient", |actor| actor.state == ActorState::Running && actor.mailbox_depth == 0).await;
    ward.close().await;
}
