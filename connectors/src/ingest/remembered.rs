//! Answers already given, by signature, for as long as a signature is valid: a request sent twice is answered alike and
//! published once. Bounded in memory; what is forgotten early is harmless, since mention ids make doubles visible.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::batch::Answer;

/// Most bytes kept, roughly.
const CAPACITY: usize = 16 * 1024 * 1024;

type Signature = [u8; 32];

/// The cache.
#[derive(Default)]
pub(super) struct Remembered {
    answers: HashMap<Signature, (Answer, Timestamp)>,
    by_expiry: BTreeSet<(Timestamp, Signature)>,
    size: usize,
}

impl Remembered {
    /// The answer given to this signature, if it has not expired.
    pub(super) fn get(&mut self, signature: &Signature, now: Timestamp) -> Option<Answer> {
        while self.by_expiry.first().is_some_and(|(expires, _)| *expires < now) {
            self.forget_first();
        }
        self.answers.get(signature).map(|(answer, _)| answer.clone())
    }

    /// Keeps an answer until `expires`.
    pub(super) fn put(&mut self, signature: Signature, answer: Answer, expires: Timestamp) {
        let size = answer.size();
        if self.answers.contains_key(&signature) || size > CAPACITY {
            return;
        }
        while self.size + size > CAPACITY {
            self.forget_first();
        }
        self.size += size;
        self.by_expiry.insert((expires, signature));
        self.answers.insert(signature, (answer, expires));
    }

    fn forget_first(&mut self) {
        if let Some((_, signature)) = self.by_expiry.pop_first()
            && let Some((answer, _)) = self.answers.remove(&signature)
        {
            self.size -= answer.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn answer(accepted: usize) -> Answer {
        Answer { accepted, rejected: [].into() }
    }

    #[test]
    fn forgets_what_expired_and_only_that() {
        let mut remembered = Remembered::default();
        remembered.put([1; 32], answer(1), at(10));
        remembered.put([2; 32], answer(2), at(20));
        assert_eq!(remembered.get(&[1; 32], at(10)).map(|a| a.accepted), Some(1));
        assert!(remembered.get(&[1; 32], at(11)).is_none());
        assert_eq!(remembered.get(&[2; 32], at(11)).map(|a| a.accepted), Some(2));
        assert!(remembered.get(&[2; 32], at(21)).is_none());
        assert_eq!((remembered.size, remembered.answers.len(), remembered.by_expiry.len()), (0, 0, 0));
    }

    #[test]
    fn stays_within_its_bound_forgetting_the_oldest() {
        let mut remembered = Remembered::default();
        let most = CAPACITY / answer(0).size();
        for n in 0..most + 10 {
            let mut signature = [0; 32];
            signature[..8].copy_from_slice(&(n as u64).to_be_bytes());
            remembered.put(signature, answer(n), at(100 + i64::try_from(n).expect("small")));
        }
        assert!(remembered.size <= CAPACITY);
        assert_eq!(remembered.answers.len(), most);
        assert!(remembered.get(&[0; 32], at(0)).is_none());
    }
}
