//! Labels, and what selects by them.

pub(crate) const LABEL_RULE: &str = "has at most 63 characters of A-Z, a-z, 0-9, '-', '_', '.' and '/'";

/// Whether this can be a label's value.
pub(crate) fn is_label_text(text: &str) -> bool {
    text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
}

/// Whether this can be a label's key.
pub(crate) fn is_label_key(text: &str) -> bool {
    !text.is_empty() && is_label_text(text)
}
