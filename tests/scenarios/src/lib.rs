//! What must hold for the whole office; everything is in `tests/it`.
