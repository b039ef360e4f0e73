//! Where the documents of a text begin and end.
//!
//! `---` and `...` at the beginning of a line are markers wherever they stand (YAML 1.2.2, 9.1.2), in scalars too, and
//! JSON has no such lines.

/// One document's text, with its marker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// Lines before it.
    pub(super) above: u64,
}

/// The documents that have more to them than comments.
pub(super) fn documents(text: &str) -> Vec<Part<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts = Vec::new();
    let (mut begin, mut end, mut above) = (0, 0, 0);
    // Directives and comments belong to the document after them.
    let (mut is_begun, mut is_directed) = (false, false);
    for (number, line) in (0..).zip(text.split_inclusive('\n')) {
        let is_end = is_marker(line, "...");
        if is_end || (is_begun && is_marker(line, "---")) {
            if is_begun || is_directed {
                parts.push(Part { text: &text[begin..end], above });
            }
            begin = if is_end { end + line.len() } else { end };
            above = if is_end { number + 1 } else { number };
            (is_begun, is_directed) = (false, false);
        }
        is_directed |= !is_begun && line.starts_with('%');
        is_begun |= !is_end && !line.starts_with('%') && !is_blank(line);
        end += line.len();
    }
    if is_begun || is_directed {
        parts.push(Part { text: &text[begin..], above });
    }
    parts
}

fn is_marker(line: &str, marker: &str) -> bool {
    let rest = line.strip_prefix(marker);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        // After the end of a document only a comment may stand.
        && (marker == "---" || rest.is_some_and(is_blank))
}

/// Whether a line has nothing or only a comment.
fn is_blank(line: &str) -> bool {
    matches!(line.trim_start().bytes().next(), None | Some(b'#'))
}

impl<'a> Part<'a> {
    /// What stands after the marker and comments, if that begins as JSON does, and the lines above it.
    pub(super) fn json(&self) -> Option<(&'a str, u64)> {
        let mut rest = self.text;
        let mut above = self.above;
        loop {
            let line = rest.split_inclusive('\n').next()?;
            let content = if is_marker(line, "---") { &line[3..] } else { line };
            if content.trim_start().starts_with(['{', '[']) {
                return Some((&rest[line.len() - content.len()..], above));
            }
            if !is_blank(content) {
                return None;
            }
            rest = &rest[line.len()..];
            above += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_lie_between_markers() {
        for (text, expected) in [
            ("", &[][..]),
            ("# only this\n...\n", &[]),
            ("a\n---\nb", &[("a\n", 0), ("---\nb", 1)]),
            ("# why\n---\na\n... # end\n\n# what\nb\n", &[("# why\n---\na\n", 0), ("\n# what\nb\n", 4)]),
            ("%YAML 1.2\r\n---\r\na\r\n--- b\r\n", &[("%YAML 1.2\r\n---\r\na\r\n", 0), ("--- b\r\n", 3)]),
            ("a: |\n  ---\n---b\n", &[("a: |\n  ---\n---b\n", 0)]),
            ("%YAML 1.2\n", &[("%YAML 1.2\n", 0)]),
            ("\u{feff}{}", &[("{}", 0)]),
        ] {
            let expected: Vec<_> = expected.iter().map(|&(text, above)| Part { text, above }).collect();
            assert_eq!(documents(text), expected, "{text:?}");
        }
    }

    #[test]
    fn json_begins_after_marker_and_comments() {
        for (text, expected) in [
            ("{}", Some(("{}", 0))),
            ("--- [1]\n", Some((" [1]\n", 0))),
            ("# why\n--- # here\n\n {\n}", Some((" {\n}", 3))),
            ("a: {}", None),
            ("%YAML 1.2\n---\n{}", None),
            ("# nothing", None),
        ] {
            assert_eq!(Part { text, above: 0 }.json(), expected, "{text:?}");
        }
    }
}
