//! Log lines as JSON, each written in one go: every request has a span and a line, and the library's own formatter gathers a
//! span's fields in a map of values, reads their text back for every line, and checks each piece that it writes.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use serde::Serializer as _;
use serde::ser::SerializeMap;
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_serde::{AsSerde as _, SerdeMapVisitor};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Longer than what a request's span has.
const USUAL_SPAN: usize = 128;
/// Longer than the line of a request.
const USUAL_LINE: usize = 640;

/// The fields of a span: a JSON object.
#[derive(Debug, Default)]
pub(super) struct SpanFields;

impl<'a> FormatFields<'a> for SpanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'a>, fields: R) -> fmt::Result {
        let mut text = Vec::with_capacity(USUAL_SPAN);
        let mut json = serde_json::Serializer::new(&mut text);
        let mut visitor = SerdeMapVisitor::new(json.serialize_map(None).map_err(|_| fmt::Error)?);
        fields.record(&mut visitor);
        visitor.finish().map_err(|_| fmt::Error)?;
        writer.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }

    fn add_fields(&self, current: &'a mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let mut both = FormattedFields::<JsonFields>::new(std::mem::take(&mut current.fields));
        JsonFields::new().add_fields(&mut both, fields)?;
        current.fields = both.fields;
        Ok(())
    }
}

/// A line: an object of time, level, the event's fields, target, and `spans` from the outermost to the innermost.
#[derive(Debug)]
pub(super) struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, SpanFields> for Lines {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, SpanFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Vec::with_capacity(USUAL_LINE);
        own_members(event, &mut line).map_err(|_| fmt::Error)?;
        if let Some(scope) = context.event_scope() {
            line.extend_from_slice(b",\"spans\":[");
            for (place, span) in scope.from_root().enumerate() {
                line.extend_from_slice(if place == 0 { b"{\"name\":" } else { b",{\"name\":" });
                serde_json::to_writer(&mut line, span.name()).map_err(|_| fmt::Error)?;
                if let Some(fields) = span.extensions().get::<FormattedFields<SpanFields>>() {
                    let members = fields.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
                    line.extend_from_slice(if members.is_empty() { b"" } else { b"," });
                    line.extend_from_slice(members.as_bytes());
                }
                line.push(b'}');
            }
            line.push(b']');
        }
        line.extend_from_slice(b"}\n");
        writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)
    }
}

/// All but the spans and the brace at the end.
fn own_members(event: &Event<'_>, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Serializer::new(&mut *line);
    let mut members = json.serialize_map(None)?;
    members.serialize_entry("timestamp", &Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true))?;
    members.serialize_entry("level", &event.metadata().level().as_serde())?;
    let mut fields = SerdeMapVisitor::new(members);
    event.record(&mut fields);
    let mut members = fields.take_serializer()?;
    members.serialize_entry("target", event.metadata().target())?;
    members.end()?;
    line.pop();
    Ok(())
}
