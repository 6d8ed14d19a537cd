//! What was measured, and the one table at the end.

/// One row: what was measured beside its floor, and what has to be reached.
pub struct Row {
    pub what: String,
    pub measured: String,
    pub floor: String,
    pub ratio: String,
    /// What to reach, and whether that is so; `None` where a number is only told.
    pub target: Option<(String, bool)>,
}

impl Row {
    /// A rate that has to reach a share of the floor's: medians of each, and of the ratios of each round.
    pub fn share(what: &str, unit: &str, rounds: &[(f64, f64)], target: f64) -> Self {
        let ratio = median(rounds.iter().map(|(measured, floor)| measured / floor));
        Self {
            what: what.to_owned(),
            measured: format!("{:.0} {unit}", median(rounds.iter().map(|round| round.0))),
            floor: format!("{:.0} {unit}", median(rounds.iter().map(|round| round.1))),
            ratio: format!("{ratio:.2}"),
            target: Some((format!("≥ {target}"), ratio >= target)),
        }
    }

    /// An amount that may be so much at most.
    pub fn most(what: &str, unit: &str, measured: f64, target: f64) -> Self {
        Self {
            what: what.to_owned(),
            measured: format!("{measured:.1} {unit}"),
            floor: String::new(),
            ratio: String::new(),
            target: Some((format!("≤ {target} {unit}"), measured <= target)),
        }
    }

    /// An amount that has to be so much at least.
    pub fn least(what: &str, unit: &str, measured: f64, target: f64) -> Self {
        Self {
            target: Some((format!("≥ {target} {unit}"), measured >= target)),
            ..Self::most(what, unit, measured, target)
        }
    }

    /// A number that nothing is asked of.
    pub fn told(what: &str, measured: String) -> Self {
        Self { what: what.to_owned(), measured, floor: String::new(), ratio: String::new(), target: None }
    }

    /// The same with a floor.
    pub fn beside(mut self, floor: String, ratio: String) -> Self {
        (self.floor, self.ratio) = (floor, ratio);
        self
    }
}

/// The middle value; of an even number, the upper one.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints the rows under each other.
pub fn print(rows: &[Row]) {
    let head = ["what", "measured", "floor", "ratio", "to reach", ""].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        let (target, met) = match &row.target {
            Some((target, true)) => (target.clone(), "met"),
            Some((target, false)) => (target.clone(), "NOT MET"),
            None => (String::new(), ""),
        };
        [row.what.clone(), row.measured.clone(), row.floor.clone(), row.ratio.clone(), target, met.to_owned()]
    });
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(lines).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    println!();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        println!("{}", cells.join("  ").trim_end());
    }
}
