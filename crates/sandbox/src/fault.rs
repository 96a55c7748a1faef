//! What goes wrong, and with which request.

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// A token.
    Token,
    /// A list of transactions.
    Transactions,
    /// Settlement events are to be added to transactions.
    SettlementEvents,
    /// A list of settlements.
    Settlements,
}

/// How a request is disturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is answered 429, to be sent again after so many seconds; nothing is done.
    TooManyRequests {
        /// The value of `Retry-After`.
        seconds: u32,
    },
    /// It is answered 401; nothing is done.
    Unauthorised,
    /// It is answered with that status; nothing is done.
    ServerError(u16),
    /// All of it is done, and the answer is lost.
    LostAfterApply,
    /// It is lost on the way; nothing is done.
    LostBefore,
    /// There is no connection.
    NotConnected,
    /// There is no answer, and it is done when a later request comes at or after so many seconds.
    LateApply {
        /// How late.
        seconds: u32,
    },
    /// The first half of its transactions, rounded up, is done, and it is answered 500.
    HalfApplied,
    /// All of it is done, and the answer lists it backwards.
    ReorderedAnswer,
    /// All of it is done, and the answer lacks the last transaction.
    MissingInAnswer,
    /// All but its first transaction is done, and the answer lists what was done.
    FirstNotApplied,
    /// All of it is done, and the answer is a page for a browser.
    HtmlBody,
    /// It is sent to somewhere else; nothing is done.
    Redirect,
    /// Every posting with that transaction in it is answered 422 from now on; nothing of it is done.
    RefuseTransaction(String),
}

/// Faults that wait for their requests.
#[derive(Debug, Default, Clone)]
pub(super) struct Faults(Vec<(RequestKind, Fault)>);

impl Faults {
    pub(super) fn add(&mut self, which: RequestKind, fault: Fault) {
        self.0.push((which, fault));
    }

    /// The fault of a request that is here now.
    pub(super) fn next(&mut self, kind: RequestKind) -> Option<Fault> {
        let place = self.0.iter().position(|(which, _)| *which == kind)?;
        Some(self.0.remove(place).1)
    }

    pub(super) fn left(&self) -> usize {
        self.0.len()
    }
}
