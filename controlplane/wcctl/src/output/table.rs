//! Tables of aligned columns, for people and for `awk` alike.

const GAP: &str = "   ";

pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
}

impl Table {
    pub(crate) fn new(titles: &[&str]) -> Self {
        let mut table = Self { rows: Vec::new(), widths: vec![0; titles.len()] };
        table.add(titles.iter().map(ToString::to_string).collect());
        table
    }

    /// An empty cell is shown as `-`, so that every row has as many words as columns.
    pub(crate) fn add(&mut self, mut row: Vec<String>) {
        for (cell, width) in row.iter_mut().zip(&mut self.widths) {
            if cell.is_empty() {
                cell.push('-');
            }
            *width = (*width).max(cell.chars().count());
        }
        self.rows.push(row);
    }

    /// What was added since the last call, aligned with all that came before.
    pub(crate) fn render(&mut self) -> String {
        let rows = std::mem::take(&mut self.rows);
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[String]) -> String {
        let padded: Vec<String> =
            row.iter().zip(&self.widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join(GAP).trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_never_empty() {
        let mut table = Table::new(&["NAME", "TAGS", "AGE"]);
        table.add(vec!["alice".into(), String::new(), "5d".into()]);
        assert_eq!(table.render(), "NAME    TAGS   AGE\nalice   -      5d\n");
        table.add(vec!["bob-inc".into(), "100.7".into(), "1s".into()]);
        assert_eq!(table.render(), "bob-inc   100.7   1s\n");
    }
}
