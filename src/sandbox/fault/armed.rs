//! The faults that have not occurred yet.

use super::{ALWAYS, Fault, Kind};

#[derive(Debug, Default)]
pub(in crate::sandbox) struct ActiveFaults(Vec<Fault>);

impl ActiveFaults {
    pub(in crate::sandbox) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The first fault that is due. A request counts once for every fault that it matches.
    pub(in crate::sandbox) fn next_fault(&mut self, method: &str, path: &str) -> Option<Kind> {
        self.take(|fault| fault.kind.affects_requests() && fault.matcher.is_met_by(method, path))
    }

    pub(in crate::sandbox) fn fail_verification(&mut self) -> bool {
        self.take(|fault| fault.kind == Kind::VerificationFails).is_some()
    }

    pub(in crate::sandbox) fn misbehave(&mut self, kind: &Kind, path: &str) -> bool {
        self.take(|fault| fault.kind == *kind && fault.matcher.is_met_by("GET", path)).is_some()
    }

    fn take(&mut self, is_affected: impl Fn(&Fault) -> bool) -> Option<Kind> {
        let mut due = None;
        for fault in self.0.iter_mut().filter(|fault| is_affected(fault)) {
            if fault.first > 1 {
                fault.first -= 1;
            } else if due.is_none() {
                due = Some(fault.kind.clone());
                if fault.times != ALWAYS {
                    fault.times -= 1;
                }
            }
        }
        self.0.retain(|fault| fault.times > 0);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_in_turn_and_wear_out() {
        let mut armed = ActiveFaults::default();
        for text in ["500#2", "429x2@GET", "verification-fails"] {
            armed.add(text.parse().unwrap());
        }
        let due: Vec<_> = ["GET", "POST", "GET", "GET"]
            .map(|method| armed.next_fault(method, "/accounts").map(|kind| kind.to_string()))
            .into();
        let expected = [Some("429"), Some("500"), Some("429"), None];
        assert_eq!(due, expected.map(|kind| kind.map(ToOwned::to_owned)));
        assert!(armed.fail_verification());
        assert!(!armed.fail_verification());
    }
}
