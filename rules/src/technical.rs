//! Monitors that stand in no rulebook: technical ones, such as a source that went blind or an alert of an operator's own
//! monitoring. Their ids carry a prefix; a monitor of the rulebook that bears the same id wins.

use crate::rulebook::Rulebook;

/// Prefix of a source of mentions.
const SOURCE: &str = "source:";
/// Prefix of a foreign alert.
const ALERT: &str = "alert:";

/// Category of findings on blind sources; also the id of their threshold.
pub const SOURCE_BLIND: &str = "source_blind";

/// Id of the monitor that stands for a source of mentions.
pub fn source(name: &str) -> String {
    format!("{SOURCE}{name}")
}

/// Id of the monitor that stands for a foreign alert.
pub fn alert(name: &str) -> String {
    format!("{ALERT}{name}")
}

/// Whether a monitor's id is a technical one.
pub fn is(monitor: &str) -> bool {
    monitor.starts_with(SOURCE) || monitor.starts_with(ALERT)
}

impl Rulebook {
    /// Team that owns a monitor, technical ones too: those belong to the team `technical`, or else to the first team.
    /// None for a monitor that is neither in the rulebook nor technical.
    pub fn owner_of(&self, monitor: &str) -> Option<&str> {
        if let Some(known) = self.monitor(monitor) {
            return Some(&known.owner);
        }
        let team = self.team("technical").or(self.teams.first()).filter(|_| is(monitor))?;
        Some(&team.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::CONSUMER_BRAND;

    #[test]
    fn technical_monitors_have_an_owner_and_others_need_a_rulebook() {
        let book = Rulebook::load(&[("pack", CONSUMER_BRAND)]).expect("the pack");
        let own = &book.monitors[0];
        assert_eq!(book.owner_of(&own.id), Some(own.owner.as_str()));
        assert_eq!(book.owner_of(&source("news")), Some(book.teams[0].id.as_str()));
        assert_eq!(book.owner_of(&alert("KafkaDown")), Some(book.teams[0].id.as_str()));
        assert_eq!(book.owner_of("nobody's"), None);
        assert!(book.monitors.iter().all(|monitor| !is(&monitor.id)));
    }
}
