//! The expression of a matcher, before casbin's engine sees it: comparisons of known fields, and nothing that could
//! call, loop, define or nest without end.

/// The longest matcher, in bytes, and how deep its parentheses may nest.
const MAX_LENGTH: usize = 1024;
const MAX_NESTING: usize = 16;

/// Offset in characters, what is wrong, what was expected.
type Wrong = (usize, String, String);

/// Checks the tokens of a matcher whose fields may be `fields`, such as `r.role`.
pub(super) fn check(text: &str, fields: &[String]) -> Result<(), Wrong> {
    if text.len() > MAX_LENGTH {
        return Err((0, "the matcher is too long".to_owned(), format!("at most {MAX_LENGTH} bytes")));
    }
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(token) = token(rest) {
        let offset = text.len() - rest.len();
        let characters = text.get(..offset).map_or(0, |before| before.chars().count());
        match token {
            "(" => depth += 1,
            ")" if depth == 0 => return Err((characters, "`)` without `(`".to_owned(), "`(` first".to_owned())),
            ")" => depth -= 1,
            _ if accepted(token, fields) => {}
            other => {
                let message = format!("`{other}` is not allowed in a matcher");
                let expected = format!("{}, g, ==, !=, &&, ||, !, in, parentheses or a text", fields.join(", "));
                return Err((characters, message, expected));
            }
        }
        if depth > MAX_NESTING {
            let expected = format!("at most {MAX_NESTING} levels");
            return Err((characters, "parentheses nested too deep".to_owned(), expected));
        }
        rest = rest.get(token.len()..).unwrap_or("").trim_start();
    }
    if depth > 0 {
        return Err((text.chars().count(), "`(` without `)`".to_owned(), "`)`".to_owned()));
    }
    if text.is_empty() {
        return Err((0, "an empty matcher".to_owned(), "an expression".to_owned()));
    }
    Ok(())
}

fn accepted(token: &str, fields: &[String]) -> bool {
    matches!(token, "==" | "!=" | "&&" | "||" | "!" | "," | "in" | "g")
        || (token.len() > 1 && token.starts_with('"') && token.ends_with('"'))
        || fields.iter().any(|field| field == token)
}

/// The first token of `rest`; a character that begins none is one of its own.
fn token(rest: &str) -> Option<&str> {
    let first = rest.chars().next()?;
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let length = if word(first) {
        rest.find(|c| !word(c)).unwrap_or(rest.len())
    } else if first == '"' {
        rest.char_indices()
            .skip(1)
            .find(|(_, c)| !(c.is_ascii_alphanumeric() || "*_- .".contains(*c)))
            .map_or(rest.len(), |(at, c)| at + c.len_utf8())
    } else if ["==", "!=", "&&", "||"].iter().any(|operator| rest.starts_with(operator)) {
        2
    } else {
        first.len_utf8()
    };
    rest.get(..length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::check;
    use proptest::prelude::*;

    fn fields() -> Vec<String> {
        ["r.role", "r.action", "p.permission", "p.action"].map(str::to_owned).to_vec()
    }

    #[test]
    fn plain_comparisons_pass_and_nothing_else() {
        assert_eq!(check(r#"r.action == p.action && (g(r.role, p.permission) || r.role == "*")"#, &fields()), Ok(()));
        for (bad, offset) in [
            ("", 0),
            ("eval(p.action)", 0),
            ("r.role == p.rolle", 10),
            ("{ loop {} }", 0),
            ("r.role == p.action; true", 18),
            ("(r.role == p.action", 19),
            ("r.role == p.action)", 18),
            ("r.role == 'x'", 10),
            ("r.role == \"x", 10),
            ("keyMatch(r.role, p.action)", 0),
            ("true", 0),
        ] {
            assert_eq!(check(bad, &fields()).unwrap_err().0, offset, "{bad}");
        }
        assert!(check(&"(".repeat(500), &fields()).is_err());
        assert!(check(&"x".repeat(5000), &fields()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = check(&text, &fields());
        }
    }
}
