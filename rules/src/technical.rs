//! Monitors that stand in no rulebook: technical ones, such as a source that went blind, a channel that broke or an alert
//! of an operator's own monitoring. Their ids carry a prefix; a monitor of the rulebook that bears the same id wins.

use crate::rulebook::Rulebook;

/// Prefix of a source of mentions.
const SOURCE: &str = "source:";
/// Prefix of a foreign alert.
const ALERT: &str = "alert:";

/// Prefix of a channel that pages leave by.
const CHANNEL: &str = "channel:";

/// Category of findings on blind sources; also the id of their threshold.
pub const SOURCE_BLIND: &str = "source_blind";

/// Threshold of findings on broken channels.
pub const CHANNEL_BROKEN: &str = "channel_broken";

/// Id of the monitor that stands for a channel that pages leave by.
pub fn channel(name: &str) -> String {
    format!("{CHANNEL}{name}")
}

/// The channel a monitor stands for, if it stands for one.
pub fn channel_of(monitor: &str) -> Option<&str> {
    monitor.strip_prefix(CHANNEL)
}

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
    monitor.starts_with(SOURCE) || monitor.starts_with(ALERT) || monitor.starts_with(CHANNEL)
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
        assert_eq!(book.owner_of(&channel("dingtalk")), Some(book.teams[0].id.as_str()));
        assert_eq!((channel_of(&channel("dingtalk")), channel_of("source:x")), (Some("dingtalk"), None));
        assert_eq!(book.owner_of("nobody's"), None);
        assert!(book.monitors.iter().all(|monitor| !is(&monitor.id)));
    }
}
