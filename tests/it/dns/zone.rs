//! Zones and caches as scripts for the servers of a network.

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::network::{Script, answering, ip};

/// A zone's records. The TTL of all is 300, of the SOA record 900, its MINIMUM 600.
#[derive(Clone)]
pub struct Zone {
    apex: Name,
    records: Vec<Record>,
}

pub fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

pub fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 300, data)
}

pub fn txt(owner: &str, strings: &[&[u8]]) -> Record {
    record(owner, RData::TXT(TXT::from_bytes(strings.to_vec())))
}

impl Zone {
    pub fn new(apex: &str) -> Self {
        Self { apex: name(apex), records: Vec::new() }
    }

    pub fn with(mut self, record: Record) -> Self {
        self.records.push(record);
        self
    }

    pub fn txt(self, owner: &str, value: &str) -> Self {
        self.with(txt(owner, &[value.as_bytes()]))
    }

    pub fn cname(self, owner: &str, target: &str) -> Self {
        self.with(record(owner, RData::CNAME(CNAME(name(target)))))
    }

    /// Name servers of a zone: `ns2` is 127.0.0.2, and so on.
    pub fn ns(mut self, owner: &str, numbers: &[u8]) -> Self {
        for number in numbers {
            let host = format!("ns{number}.{owner}");
            self = self.with(record(owner, RData::NS(NS(name(&host)))));
            self = self.with(record(&host, RData::A(A(ip(*number)))));
        }
        self
    }

    pub fn soa(&self) -> Record {
        let (mname, rname) = (name("ns.example."), name("admin.example."));
        let soa = SOA::new(mname, rname, 2_026_030_101, 3600, 600, 86_400, 600);
        Record::from_rdata(self.apex.clone(), 900, RData::SOA(soa))
    }

    /// Answers as a name server of the zone does (RFC 1034 section 4.3.2).
    pub fn answer(&self, query: &Message) -> Message {
        let question = &query.queries[0];
        let mut reply = reply(query);
        if !self.apex.zone_of(&question.name) {
            reply.metadata.response_code = ResponseCode::Refused;
            return reply;
        }
        if let Some(cut) = self.cut(&question.name) {
            self.refer(&cut, &mut reply);
            return reply;
        }
        reply.metadata.authoritative = true;
        let found = self.find(&question.name, question.query_type);
        match found {
            Some(records) if !records.is_empty() => {
                reply.add_answers(records);
            }
            found => {
                if found.is_none() {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                }
                reply.add_authority(self.soa());
            }
        }
        reply
    }

    /// The zone cut between the apex and `name`, if there is one.
    fn cut(&self, name: &Name) -> Option<Name> {
        let owners = self.records.iter().filter(|record| record.record_type() == RecordType::NS);
        let mut owners = owners.map(|record| &record.name);
        owners.find(|owner| **owner != self.apex && owner.zone_of(name)).cloned()
    }

    fn refer(&self, cut: &Name, reply: &mut Message) {
        let below = self.records.iter().filter(|record| cut.zone_of(&record.name));
        for record in below {
            match record.record_type() {
                RecordType::NS => reply.add_authority(record.clone()),
                _ => reply.add_additional(record.clone()),
            };
        }
    }

    /// The records of a name; `None` where it does not exist.
    fn find(&self, name: &Name, kind: RecordType) -> Option<Vec<Record>> {
        if kind == RecordType::SOA && *name == self.apex {
            return Some(vec![self.soa()]);
        }
        let at = |owner: &Name| -> Vec<Record> {
            self.records.iter().filter(|record| record.name == *owner).cloned().collect()
        };
        let exists = *name == self.apex || self.records.iter().any(|one| name.zone_of(&one.name));
        let mut all = at(name);
        if !exists {
            all = at(&name.clone().into_wildcard());
            for record in &mut all {
                record.name = name.clone();
            }
        }
        let wanted = |record: &Record| {
            record.record_type() == kind || record.record_type() == RecordType::CNAME
        };
        (exists || !all.is_empty()).then(|| all.into_iter().filter(wanted).collect())
    }

    /// All records, the SOA record among them.
    pub fn records(&self) -> Vec<Record> {
        self.records.iter().cloned().chain([self.soa()]).collect()
    }

    /// A name server of the zone.
    pub fn holder(self) -> Script {
        answering(move |query, _| self.answer(query))
    }

    /// A recursive resolver that knows the zone.
    pub fn cache(self) -> Script {
        answering(move |query, _| self.cached(query))
    }

    /// Answers as a recursive resolver does.
    pub fn cached(&self, query: &Message) -> Message {
        let mut reply = self.answer(query);
        reply.metadata.authoritative = false;
        reply.metadata.recursion_available = true;
        reply
    }
}

/// An empty answer.
pub fn reply(query: &Message) -> Message {
    let mut reply = query.clone().into_response();
    reply.metadata.recursion_available = false;
    reply
}

/// An answer that is nothing but a response code.
pub fn code(query: &Message, code: ResponseCode) -> Message {
    let mut reply = reply(query);
    reply.metadata.response_code = code;
    reply
}

/// Adds an extended error (RFC 8914).
pub fn extended(mut reply: Message, code: u16, text: &str) -> Message {
    let mut edns = Edns::new();
    let data = [&code.to_be_bytes()[..], text.as_bytes()].concat();
    edns.options_mut().insert(EdnsOption::Unknown(15, data));
    reply.set_edns(edns);
    reply
}
