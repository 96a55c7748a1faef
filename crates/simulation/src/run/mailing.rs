//! Mails in a run: they are sent until each has ended, beside the other steps or in a world where nothing else is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use jiff::SignedDuration;
use pipeline::StepError;
use pipeline::mail::{self, MailAccount, Mailing};
use settlement::{Mailbox as Sender, Rhythm, SettleKey};
use store::{Item, MailItem, MailState, Occasion, RecipientItem};

use super::{LEASE, QUIET_ORDER, ROUNDS_MAX, Run, Scripts, Task};
use crate::faults::Script;
use crate::generate::Seed;
use crate::in_force::versions_in_force;
use crate::poll::to_end;
use crate::recipients::secret;
use crate::scenario::{Scenario, beginning};
use crate::violation::Violation;
use crate::world::{REFUSED_AT, Worker, World, locked};

/// Digests of everything that was paid out are due by then.
const DIGESTED: SignedDuration = SignedDuration::from_hours(3 * 24);

impl Run<'_> {
    /// Sends what is due until every mail has ended. Small scenarios send their mails in a world of their own instead.
    pub(super) fn mail(&mut self) -> Result<(), Violation> {
        if self.scenario.late.is_empty() {
            return Ok(());
        }
        let digested = beginning().saturating_add(DIGESTED).unwrap_or_default();
        self.world.clock.set(self.world.clock.now().max(digested));
        self.mail_to_the_end()
    }

    fn mail_to_the_end(&mut self) -> Result<(), Violation> {
        for _ in 0..ROUNDS_MAX {
            self.world.clock.advance(self.again);
            let workers = 1 + if self.is_lossy { self.order.below(3) } else { 0 };
            let tasks: Vec<(Worker, Task)> = (0..workers).map(|_| self.mailing()).collect();
            if self.interleave(tasks)?.contains(&true) {
                return Ok(());
            }
        }
        Err(Violation("L4: mails never end".to_owned()))
    }

    /// One process that sends what is due, for every account; it ends when nothing waits.
    pub(super) fn mailing(&mut self) -> (Worker, Task) {
        let worker = self.worker();
        let clock = self.world.clock.clone();
        let (ports, scratch) = (worker.ports(), self.scratch.to_owned());
        let (accounts, mailer) = (self.scenario.accounts.clone(), Arc::new(worker.clone()));
        let task = async move {
            let from = "avstem@example.no".parse().map_err(|error| StepError::Refused(format!("{error}")))?;
            let now = clock.now();
            let mailing =
                Mailing::new(mailer, Sender { name: None, address: from }, secret(), Arc::new(move || clock.now()));
            let mut waits = None;
            for account in accounts {
                let command = MailAccount { account, lease: LEASE, scratch: scratch.clone() };
                waits = waits.max(mail::run(&ports, &mailing, &command).await?.not_before);
            }
            match waits {
                Some(until) => Err(StepError::Later { what: "sending the rest".to_owned(), until: until.max(now) }),
                None => Ok(None),
            }
        };
        (worker, Box::pin(task))
    }

    /// L4, I8: a mail about every version in force was sent to each of its recipients or is left to a person; no other mail
    /// was sent.
    pub(super) fn check_mails(&self) -> Result<(), Violation> {
        if self.scenario.late.is_empty() {
            return Ok(());
        }
        check(&self.world)
    }
}

fn check(world: &World) -> Result<(), Violation> {
    world.settle_mails().map_err(Violation)?;
    let records = world.state.all();
    let of = |partition: &'static str| records.iter().filter(move |item| item.partition.starts_with(partition));
    let mut ended: BTreeMap<(&str, MailId), MailItem> = BTreeMap::new();
    for item in of("MAIL#") {
        let mail: MailItem = store::decode(item).map_err(|error| Violation(error.to_string()))?;
        let account = item.partition.trim_start_matches("MAIL#");
        ended.insert((account, item.sort.clone()), mail);
    }
    let sent: BTreeSet<String> = locked(&world.mailbox).sent().map(ToString::to_string).collect();
    for ((_, id), mail) in &ended {
        let is_right = match &mail.state {
            MailState::Sent { .. } => sent.contains(id),
            MailState::Refused { .. } => mail.recipient.as_str() == REFUSED_AT,
            // Once two answers are lost, a person decides, whether it was sent or not.
            MailState::Human { .. } => mail.unknown_times > 1,
            MailState::Withdrawn { .. } => !sent.contains(id),
            MailState::Planned { .. } | MailState::Sending { .. } | MailState::Unknown { .. } => false,
        };
        if !is_right {
            return Err(Violation(format!("L4: mail {} ended as {:?}", mail.occasion.describe(), mail.state)));
        }
    }
    for (account, address, recipient) in of("RECIPIENT#").filter_map(recipient_of) {
        if !recipient.is_confirmed() {
            continue;
        }
        for version in versions_in_force(&records, account) {
            for rhythm in &recipient.rhythms {
                let is_sent = ended.iter().any(|((own, _), mail)| {
                    *own == account && mail.recipient.as_str() == address && is_about(mail, *rhythm, &version)
                });
                if *rhythm != Rhythm::Weekly && !is_sent {
                    return Err(Violation(format!(
                        "L4: {address} has no mail about {} as {}",
                        version.0,
                        rhythm.as_str()
                    )));
                }
            }
        }
    }
    Ok(())
}

/// A mail's id as records have it.
type MailId = String;

fn recipient_of(item: &Item) -> Option<(&str, &str, RecipientItem)> {
    Some((item.partition.trim_start_matches("RECIPIENT#"), &item.sort, store::decode(item).ok()?))
}

fn is_about(mail: &MailItem, rhythm: Rhythm, version: &(SettleKey, u32)) -> bool {
    let is_of = match &mail.occasion {
        Occasion::Payout { .. } => rhythm == Rhythm::EachPayout,
        Occasion::Digest { rhythm: own, .. } => *own == rhythm,
        _ => false,
    };
    is_of && mail.payouts.contains(version) && !matches!(mail.state, MailState::Withdrawn { .. })
}

/// A world in which everything but mails has ended.
pub(crate) fn before_mails(scenario: &Scenario, scratch: &Path) -> Result<World, Violation> {
    let mut scripts = |_: usize| Script::quiet();
    let mut run = Run::new(scenario, scratch, QUIET_ORDER, &mut scripts);
    run.deliver()?;
    run.post()?;
    let digested = beginning().saturating_add(DIGESTED).unwrap_or_default();
    run.world.clock.set(run.world.clock.now().max(digested));
    Ok(run.world.fork())
}

/// Sends the mails of such a world under these scripts; gives the number of calls and of effects.
pub(crate) fn mails_of(
    world: &World,
    scenario: &Scenario,
    scratch: &Path,
    order: u64,
    scripts: Scripts<'_>,
) -> Result<(usize, usize), Violation> {
    let mut run = Run::new(scenario, scratch, order, scripts);
    run.world = Arc::new(world.fork());
    let before = run.world.effects();
    run.mail_to_the_end()?;
    check(&run.world)?;
    let (calls, effects) = (run.calls, run.world.effects() - before);
    let sent: Vec<_> = locked(&run.world.mailbox).sent().cloned().collect();
    run.scripts = None;
    run.mail_to_the_end()?;
    run.world.settle_mails().map_err(Violation)?;
    match locked(&run.world.mailbox).sent().eq(sent.iter()) {
        true => Ok((calls, effects)),
        false => Err(Violation("L7: sending once more sent more".to_owned())),
    }
}

/// Stops a worker after `calls` calls, lets others send everything, and lets it run on; `false` when it makes fewer calls.
pub(crate) fn held_up_mailing(
    world: &World,
    scenario: &Scenario,
    scratch: &Path,
    calls: usize,
) -> Result<bool, Violation> {
    let mut scripts = |_: usize| Script::quiet();
    let mut run = Run::new(scenario, scratch, QUIET_ORDER, &mut scripts);
    run.world = Arc::new(world.fork());
    let (_, mut task) = run.mailing();
    for _ in 0..calls {
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return Ok(false);
        }
    }
    run.mail_to_the_end()?;
    match to_end(task) {
        Err(error) if !error.is_retryable() => return Err(Violation(format!("a step failed for good: {error}"))),
        _ => {}
    }
    if let Some(violation) = locked(&run.world.watch).violation.take() {
        return Err(Violation(violation));
    }
    run.mail_to_the_end()?;
    check(&run.world).map(|()| true)
}

/// Sends mails by several workers at once, with the order and the faults that a seed decides.
pub(crate) fn seeded_mails(world: &World, scenario: &Scenario, scratch: &Path, seed: u64) -> Result<(), Violation> {
    let mut scripts = |number: usize| {
        let drawn = Seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64)).draw();
        if number < 10 { Script::random(drawn, 8, true) } else { Script::quiet() }
    };
    mails_of(world, scenario, scratch, seed | 1 << 63, &mut scripts).map(drop)
}
