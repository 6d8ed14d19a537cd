//! Lists of clients: the parameters of CL001 and CL009, and a page of summaries with the way to the next.

use http::header::LINK;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::Answer;
use super::cursor::Cursor;
use super::problem::{Code, Problem};
use super::query::{Query, malformed};
use crate::domain::filter::Filter;
use crate::state::{CursorKey, ListQuery, Page, Sort, SortBy, Visible};

/// Items on a page where nobody says otherwise, and the most there can be.
pub const DEFAULT_LIMIT: usize = 50;
/// The most items on a page.
pub const MAX_LIMIT: usize = 200;

/// The parameters of a list.
pub const KNOWN: &[&str] = &["limit", "cursor", "sort", "starred", "filter"];

/// What RFC 3986 leaves as it is; all else is escaped in a query.
pub const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a caller wants to see.
pub struct ListParams {
    filter: Option<(Filter, String)>,
    starred: bool,
    sort: Sort,
    sort_text: String,
    after: Option<CursorKey>,
    limit: usize,
}

impl ListParams {
    /// Reads the parameters.
    ///
    /// # Errors
    /// 400: `malformed-query`, `malformed-filter`, `malformed-cursor`.
    pub fn read(query: &Query<'_>) -> Result<Self, Problem> {
        let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
        let starred = query.flag("starred")?;
        let sort_text = query.get("sort").unwrap_or("name").to_owned();
        let sort = sort(&sort_text)?;
        let filter = query.get("filter").map(filter).transpose()?;
        let mut params = Self { filter, starred, sort, sort_text, after: None, limit };
        if let Some(text) = query.get("cursor") {
            let Cursor { value, reference } = Cursor::decode(text, &params.identity())?;
            params.after = Some(CursorKey { value, reference });
        }
        Ok(params)
    }

    /// As the state is asked. `visible` says which rows the policy lets the member see.
    #[must_use]
    pub fn for_member<'a>(&'a self, member: &'a str, visible: Option<Visible<'a>>) -> ListQuery<'a> {
        ListQuery {
            filter: self.filter.as_ref().map(|(filter, _)| filter),
            member,
            starred_only: self.starred,
            sort: self.sort,
            visible,
            after: self.after.as_ref(),
            limit: self.limit,
        }
    }

    /// The page as an answer. `starred` tells which of the clients are favourites.
    #[must_use]
    pub fn answer(&self, page: &Page, starred: impl Fn(&str) -> bool) -> Answer {
        let mut body = Vec::with_capacity(512 * page.items.len() + 64);
        body.extend_from_slice(b"{\"items\":[");
        for (place, record) in page.items.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&record.summary(starred(&record.client.reference)));
        }
        let next = page.next.as_ref().map(|key| {
            let cursor = Cursor { value: key.value.clone(), reference: key.reference.clone() };
            cursor.encode(&self.identity())
        });
        // A cursor is base64url: nothing in it needs escaping.
        let shown = next.as_ref().map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
        body.extend_from_slice(format!("],\"next\":{shown},\"total\":{}}}", page.total).as_bytes());
        match next {
            Some(next) => Answer::json(body).header(LINK, &self.link(&next)),
            None => Answer::json(body),
        }
    }

    /// What has to be the same from page to page; the size of a page may change.
    fn identity(&self) -> [&str; 4] {
        let filter = self.filter.as_ref().map_or("", |(_, canonical)| canonical.as_str());
        ["clients", &self.sort_text, if self.starred { "starred" } else { "" }, filter]
    }

    fn link(&self, next: &str) -> String {
        let mut parameters = vec![("limit", self.limit.to_string()), ("sort", self.sort_text.clone())];
        if self.starred {
            parameters.push(("starred", "true".to_owned()));
        }
        if let Some((_, text)) = &self.filter {
            parameters.push(("filter", text.clone()));
        }
        parameters.push(("cursor", next.to_owned()));
        let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY)));
        format!("</clients/profile?{}>; rel=\"next\"", pairs.collect::<Vec<_>>().join("&"))
    }
}

fn filter(text: &str) -> Result<(Filter, String), Problem> {
    let filter = Filter::parse(text)
        .map_err(|error| Problem::new(Code::MalformedFilter, error.to_string()).with("position", error.position))?;
    let canonical = filter.canonical();
    Ok((filter, canonical))
}

fn sort(text: &str) -> Result<Sort, Problem> {
    let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
    let by = match name {
        "name" => SortBy::Name,
        "createdAt" => SortBy::CreatedAt,
        "updatedAt" => SortBy::UpdatedAt,
        "status" => SortBy::Status,
        _ => {
            let why = "has to be name, createdAt, updatedAt or status, with a - before it to reverse";
            return Err(malformed("sort", why));
        }
    };
    Ok(Sort { by, descending })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<ListParams, Code> {
        let query = Query::parse(Some(query), KNOWN).map_err(|problem| problem.code())?;
        ListParams::read(&query).map_err(|problem| problem.code())
    }

    fn page(next: Option<CursorKey>) -> Page {
        Page { items: Vec::new(), next, total: 0 }
    }

    #[test]
    fn the_way_to_the_next_page_leads_there() {
        let params = read("filter=name+eq+%22M%C3%BC%26%22&starred=true&sort=-createdAt&limit=3").unwrap();
        let key = CursorKey { value: "2026".into(), reference: "CL-1".into() };
        let response = params.answer(&page(Some(key.clone())), |_| false).into_response();
        let link = response.headers().get(LINK).unwrap().to_str().unwrap();
        let query = link.strip_prefix("</clients/profile?").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        let next = read(query).unwrap();
        assert_eq!(next.after, Some(key));
        assert_eq!((next.limit, next.starred, next.sort), (3, true, params.sort));
    }

    #[test]
    fn a_cursor_belongs_to_its_query() {
        let params = read("sort=name").unwrap();
        let key = CursorKey { value: "A".into(), reference: "CL-1".into() };
        let cursor = Cursor { value: key.value, reference: key.reference }.encode(&params.identity());
        assert!(read(&format!("cursor={cursor}")).is_ok(), "name is the default");
        assert!(read(&format!("cursor={cursor}&limit=7")).is_ok());
        for other in ["sort=-name", "starred=true", "filter=name+pr"] {
            assert_eq!(read(&format!("{other}&cursor={cursor}")).err(), Some(Code::MalformedCursor), "{other}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(read("sort=colour").err(), Some(Code::MalformedQuery));
        assert_eq!(read("sort=").err(), Some(Code::MalformedQuery));
        assert_eq!(read("starred=yes").err(), Some(Code::MalformedQuery));
        assert_eq!(read("filter=").err(), Some(Code::MalformedFilter));
        assert_eq!(read("filter=colour+eq+1").err(), Some(Code::MalformedFilter));
        assert_eq!(read("cursor=").err(), Some(Code::MalformedCursor));
    }
}
