//! Verdicts: every consumed message earns exactly one. Reasons are closed sets, so that they can be metrics labels
//! and so that nothing vanishes unexplained.

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It had its effect: records went out or state took it in.
    Emitted,
    /// It was understood and rightly had no effect.
    Dropped(DropReason),
    /// It could not be understood; a copy is in the dead-letter topic.
    DeadLettered(DeadReason),
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
        impl $name {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Metrics label and header value.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),+ } }
        }
    };
}

reasons! {
    /// Why a message rightly had no effect.
    DropReason {
        /// No monitor matched.
        NoMatch = "no_match",
        /// Seen before, and nothing about it is new.
        Duplicate = "duplicate",
        /// Too old at observation or too far behind the watermark: fed baselines and evidence only.
        Late = "late",
        /// The monitor is gone from the rulebook.
        UnknownMonitor = "unknown_monitor",
        /// Retraction of something never counted.
        NothingToRetract = "nothing_to_retract",
        /// The finding was applied before, or changes nothing about its incident.
        NoChange = "no_change",
    }
}

reasons! {
    /// Why a message could not be understood.
    DeadReason {
        /// Not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// Not JSON of the expected shape.
        InvalidJson = "invalid_json",
        /// JSON nested too deep.
        TooDeep = "too_deep",
        /// Over the size limit.
        TooLarge = "too_large",
        /// A required field is absent.
        MissingField = "missing_field",
        /// A field has an impossible value.
        InvalidField = "invalid_field",
        /// Platform not known.
        UnknownPlatform = "unknown_platform",
        /// Date outside 1990 to 2100.
        DateOutOfRange = "date_out_of_range",
        /// Written by a newer version.
        UnknownSchema = "unknown_schema",
    }
}
