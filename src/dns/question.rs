//! A DNS query, and matching of its response. No I/O.

use hickory_proto::op::{Edns, Message, MessageType, Query};
use hickory_proto::rr::{Name, RecordType};

use super::rcode::is_answer;
use super::reply::Failure;

/// UDP payload size that passes without fragmentation (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub name: Name,
    pub kind: RecordType,
    /// Sets RD, and AD to ask for the validation result.
    pub recursion: bool,
    /// Sets CD: asks for data even if validation failed (RFC 4035 section 3.2.2).
    pub checking_disabled: bool,
}

impl Question {
    pub fn authoritative(name: Name, kind: RecordType) -> Self {
        Self { name, kind, recursion: false, checking_disabled: false }
    }

    pub fn recursive(name: Name, kind: RecordType) -> Self {
        Self { name, kind, recursion: true, checking_disabled: false }
    }

    pub fn with_checking_disabled(mut self) -> Self {
        self.checking_disabled = true;
        self
    }

    /// With a random ID.
    pub fn message(&self) -> Message {
        let mut message = Message::query();
        message.add_query(Query::query(self.name.clone(), self.kind));
        message.metadata.recursion_desired = self.recursion;
        // RFC 6840 section 5.7: requests AD without the size that DO would cost.
        message.metadata.authentic_data = self.recursion;
        message.metadata.checking_disabled = self.checking_disabled;
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        message.set_edns(edns);
        message
    }

    /// `None` if the packet answers another question.
    pub fn read(&self, id: u16, packet: &[u8]) -> Option<Result<Message, Failure>> {
        if packet.get(..2) != Some(&id.to_be_bytes()) {
            return None;
        }
        let message = match Message::from_vec(packet) {
            Ok(message) => message,
            Err(error) => return Some(Err(Failure::Malformed(error.to_string()))),
        };
        let is_answer = message.metadata.message_type == MessageType::Response;
        (is_answer && self.is_answered_by(&message)).then_some(Ok(message))
    }

    /// A server that could not parse the question may omit it.
    fn is_answered_by(&self, message: &Message) -> bool {
        match message.queries.as_slice() {
            [] => !is_answer(message),
            [query] => query.name == self.name && query.query_type == self.kind,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::lookup::{Role, Server};
    use super::super::reply::{Reply, Transport};
    use super::*;

    fn question() -> Question {
        Question::recursive(Name::from_ascii("cool.cats.").unwrap(), RecordType::TXT)
    }

    fn answer(change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = question().message().into_response();
        message.metadata.id = 7;
        change(&mut message);
        message.to_vec().unwrap()
    }

    #[test]
    fn only_an_answer_to_this_very_question_is_taken() {
        let other = |name: &str, kind| {
            let query = Query::query(Name::from_ascii(name).unwrap(), kind);
            answer(move |message| message.queries = vec![query])
        };
        for (what, packet, is_accepted) in [
            ("the answer", answer(|_| {}), true),
            ("another case", other("COOL.cats.", RecordType::TXT), true),
            ("another ID", answer(|message| message.metadata.id = 8), false),
            ("another name", other("uncool.cats.", RecordType::TXT), false),
            ("another type", other("cool.cats.", RecordType::A), false),
            ("no question", answer(|message| message.queries.clear()), false),
            (
                "no question, refused",
                answer(|message| {
                    message.queries.clear();
                    message.metadata.response_code = hickory_proto::op::ResponseCode::Refused;
                }),
                true,
            ),
            (
                "a question",
                answer(|message| message.metadata.message_type = MessageType::Query),
                false,
            ),
            ("nothing", Vec::new(), false),
        ] {
            assert_eq!(question().read(7, &packet).is_some(), is_accepted, "{what}");
        }
    }

    #[test]
    fn a_packet_that_cannot_be_read_is_malformed() {
        let mut packet = answer(|_| {});
        packet.truncate(15);
        assert!(matches!(question().read(7, &packet), Some(Err(Failure::Malformed(_)))));
    }

    proptest::proptest! {
        #[test]
        fn no_packet_makes_it_panic(
            mut packet in proptest::collection::vec(proptest::num::u8::ANY, 0..600),
            flip in proptest::option::of((0_usize..60, proptest::num::u8::ANY)),
        ) {
            // Random bytes, and real answers with one byte changed.
            if let Some((at, byte)) = flip {
                packet = answer(|_| {});
                let at = at % packet.len();
                packet[at] = byte;
            }
            if let Some(id) = packet.get_mut(..2) {
                id.copy_from_slice(&[0, 7]);
            }
            if let Some(Ok(message)) = question().read(7, &packet) {
                let reply = Reply {
                    server: ([192, 0, 2, 1], 53).into(),
                    message,
                    transport: Transport::Udp,
                    truncated: false,
                    rtt: Duration::ZERO,
                };
                let entry = Server::new(String::new(), None, Role::Recursive);
                let server = entry.with_response(&question().name, &reply);
                assert_eq!(server.rcode.is_some(), server.error.is_none());
            }
        }
    }

    #[test]
    fn a_name_that_points_at_itself_is_malformed() {
        // The question's name is a pointer to its own first byte.
        let packet = [0, 7, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 16, 0, 1];
        assert!(matches!(question().read(7, &packet), Some(Err(Failure::Malformed(_)))));
    }
}
