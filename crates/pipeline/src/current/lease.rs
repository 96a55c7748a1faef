//! Leases of reports: how long one worker has a report for itself, and when that ends before its time.

use jiff::{SignedDuration, Timestamp};

use crate::Ports;

/// How long a worker on a person's machine has a report for itself.
pub const REPORT_LEASE: SignedDuration = SignedDuration::from_mins(15);

/// Whether the lease of a report that lasts until then still holds: it ends with its time, and on a machine whose workers are
/// all gone with the last of them.
pub(crate) fn holds(ports: &Ports, lease_until: Timestamp, now: Timestamp) -> bool {
    let granted_at = lease_until.saturating_sub(REPORT_LEASE).unwrap_or(Timestamp::MIN);
    lease_until > now && ports.state.alone_since().is_none_or(|since| granted_at >= since)
}
