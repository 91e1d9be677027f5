//! An answer that does not end, line by line. A line over the cap is an error; waiting is bounded by the caller's clock.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use reqwest::Response;
use tocsin_bus::Clock;

use super::unreached;
use crate::Error;

/// What the next look brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A line without its end; empty ones (heartbeats) too.
    Line(Vec<u8>),
    /// Nothing within the time.
    Quiet,
    /// The server ended the stream.
    Ended,
}

/// Lines of a stream.
#[derive(Debug)]
pub struct Lines {
    response: Response,
    buffer: BytesMut,
    /// Bytes of the buffer known to hold no end of line.
    searched: usize,
    longest: usize,
}

impl Lines {
    pub(super) fn new(response: Response, longest: usize) -> Self {
        Self { response, buffer: BytesMut::new(), searched: 0, longest }
    }

    /// The next line, waiting at most `within`. May be dropped at any time without losing anything.
    ///
    /// # Errors
    /// [`Error::Transient`] when the connection breaks off, [`Error::TooLarge`] for a line over the cap.
    pub async fn next(&mut self, within: Duration, clock: &dyn Clock) -> Result<Next, Error> {
        let patience = clock.sleep(within);
        tokio::pin!(patience);
        loop {
            if let Some(line) = self.buffered() {
                return Ok(Next::Line(line));
            }
            if self.buffer.len() > self.longest {
                return Err(Error::TooLarge { limit: self.longest });
            }
            tokio::select! {
                biased;
                piece = self.response.chunk() => match piece {
                    Ok(Some(piece)) => self.buffer.extend_from_slice(&piece),
                    // What is left was cut off in mid-line.
                    Ok(None) => return Ok(Next::Ended),
                    Err(fault) => return Err(unreached(&fault)),
                },
                () = &mut patience => return Ok(Next::Quiet),
            }
        }
    }

    fn buffered(&mut self) -> Option<Vec<u8>> {
        let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + end).to_vec();
        self.buffer.advance(1);
        self.searched = 0;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(line)
    }
}
