//! `hub journal …`. Verifying, showing and exporting read the files alone and may run beside a hub; a cut may not.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use indicatif::ProgressBar;
use serde_json::json;
use uuid::Uuid;

use super::hub_access::need_journal;
use super::output::{Exit, Output};
use super::report;
use super::session::{Session, answers, bar, counter, told};
use super::store::{CutArgs, ExportArgs, FilterArgs, JournalArgs, JournalCommand, ShowArgs, VerifyArgs};
use crate::domain::moment;
use crate::journal::{self, Actor, CutOrder, Filter, Finding, ReadError, Shown, VerifyReport, reads};
use crate::startup::data::{journal_in, reads_in};

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub fn run(session: &Session, command: &JournalCommand) -> Result<Exit, String> {
    match command {
        JournalCommand::Verify(args) => verify(session, args),
        JournalCommand::Show(args) => show(session, args),
        JournalCommand::Export(args) => export(session, args),
        JournalCommand::Cut(args) => cut(session, args),
    }
}

fn verify(session: &Session, args: &VerifyArgs) -> Result<Exit, String> {
    let store = session.config(&args.journal.config)?.store.path;
    need_journal(&store)?;
    let bar = bar("segments");
    let progress = |progress: journal::Progress| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.segments as u64);
    };
    let report = match args.reads {
        true => reads::verify(&reads_in(&store), progress),
        false => journal::verify(&journal_in(&store), progress),
    };
    bar.finish_and_clear();
    let mut report = report.map_err(|error| error.to_string())?;
    // Beside a running hub the newest flush may be seen half written: what lies before it holds.
    if report.broken.as_ref().is_some_and(|finding| finding.unfinished)
        && journal::holder(&journal_in(&store)).map_err(|error| error.to_string())?.is_some()
    {
        report.broken = None;
    }
    match report.broken.as_ref().filter(|_| args.reads) {
        Some(finding) => told(broken_record(args, &report, finding)),
        None => told(report::verified(&mut answers(args.journal.json), &report)),
    }
}

/// Views are not cut off by decision: a day that is damaged is kept as it is, or restored.
fn broken_record(args: &VerifyArgs, report: &VerifyReport, finding: &Finding) -> io::Result<Exit> {
    let Finding { segment, offset, seq, fault, .. } = finding;
    let mut json = json!(report);
    if let Some(members) = json.as_object_mut() {
        members.insert("whole".to_owned(), json!(false));
    }
    let text = format!("broken: {segment} at byte {offset}, entry {seq}: {fault}\nrestore the day's folder");
    answers(args.journal.json).say(&text, &json).map(|()| Exit::Failed)
}

/// The lines of a journal, or of several, one behind the other.
type Lines = Box<dyn Iterator<Item = Result<Shown, ReadError>>>;

fn selected(session: &Session, args: &JournalArgs, filter: &FilterArgs) -> Result<Lines, String> {
    let of_reads = filter.reads;
    let store = session.config(&args.config)?.store.path;
    need_journal(&store)?;
    let filter = Filter {
        stream: filter.stream.clone(),
        org: filter.org.clone(),
        kind: filter.kind.clone(),
        from: filter.from,
        to: filter.to,
    };
    let folders = match of_reads {
        true => {
            reads::days(&reads_in(&store)).map_err(|error| error.to_string())?.into_iter().map(|(_, day)| day).collect()
        }
        false => vec![journal_in(&store)],
    };
    let lines = folders.iter().map(|folder| journal::lines(folder, filter.clone()));
    let lines = lines.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok(Box::new(lines.into_iter().flatten()))
}

fn show(session: &Session, args: &ShowArgs) -> Result<Exit, String> {
    let most = usize::try_from(args.limit.get()).unwrap_or(usize::MAX);
    let lines = selected(session, &args.journal, &args.filter)?;
    let mut out = BufWriter::new(io::stdout());
    for shown in lines.take(most) {
        let shown = shown.map_err(|error| error.to_string())?;
        let text = if args.journal.json.json { shown.line } else { short(&shown) };
        if let Err(error) = writeln!(out, "{text}") {
            return told(Err(error));
        }
    }
    told(out.flush().map(|()| Exit::Done))
}

/// An entry in one line for people. Who and what, not the data: that is for `--json`.
fn short(shown: &Shown) -> String {
    let entry = &shown.entry;
    let time = moment::text(&entry.time);
    let action = if entry.action.is_empty() { "-" } else { &entry.action };
    let (stream, version, kind) = (&entry.stream, entry.version, &entry.kind);
    let text =
        format!("{:>8}  {time}  {kind}  {stream}@{version}  {}/{}  {action}", entry.seq, entry.org, entry.actor.member);
    // Members and streams come from outside: they must not write to the terminal.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn export(session: &Session, args: &ExportArgs) -> Result<Exit, String> {
    let lines = selected(session, &args.journal, &args.filter)?;
    let bar = counter("entries");
    let Some(path) = &args.out else {
        return told(written(lines, io::stdout(), &bar)?.map(|_| Exit::Done));
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} is there already: an export makes a file of its own", path.display())
        }
        _ => format!("{}: {error}", path.display()),
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    match whole(lines, &file, &bar) {
        Ok(count) => tell_exported(args, path, count),
        Err(reason) => {
            // Half an export could be taken for a whole one.
            let removed = std::fs::remove_file(path).map_err(failed);
            Err(removed.err().map_or(reason.clone(), |more| format!("{reason}; {more}")))
        }
    }
}

fn whole(lines: Lines, file: &File, bar: &ProgressBar) -> Result<u64, String> {
    let written = written(lines, file, bar)?.and_then(|count| file.sync_all().map(|()| count));
    written.map_err(|error| error.to_string())
}

/// Writes the lines as they are stored.
fn written(lines: Lines, out: impl Write, bar: &ProgressBar) -> Result<io::Result<u64>, String> {
    let (mut out, mut count) = (BufWriter::new(out), 0);
    for shown in lines {
        let shown = shown.map_err(|error| error.to_string())?;
        if let Err(error) = writeln!(out, "{}", shown.line) {
            return Ok(Err(error));
        }
        count += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(out.flush().map(|()| count))
}

fn tell_exported(args: &ExportArgs, path: &Path, count: u64) -> Result<Exit, String> {
    let (file, mut output) = (path.display().to_string(), answers(args.journal.json));
    let answer = output.say(&format!("{count} entries in {file}"), &json!({"entries": count, "file": file}));
    told(answer.map(|()| Exit::Done))
}

fn cut(session: &Session, args: &CutArgs) -> Result<Exit, String> {
    let config = session.config(&args.journal.config)?;
    need_journal(&config.store.path)?;
    let order = CutOrder {
        at: args.at.get(),
        reason: args.reason.clone(),
        org: config.auth.operator_org.as_str().to_owned(),
        actor: Actor { member: session.operator(), roles: Vec::new(), address: None },
        request_id: Uuid::now_v7().to_string(),
    };
    let report = journal::cut(&journal_in(&config.store.path), order).map_err(|error| error.to_string())?;
    let kept = report.kept.as_deref().unwrap_or("nowhere");
    let text = format!(
        "cut: the journal ends with entry {}, {} bytes are kept in {kept}, the decision is entry {}",
        report.last, report.bytes, report.entry
    );
    let mut output: Output<_> = answers(args.journal.json);
    told(output.say(&text, &json!(report)).map(|()| Exit::Done))
}
