//! Windows, thresholds and grading of monitors: a pure state machine and the thin stage around it.
