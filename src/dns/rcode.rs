//! Response codes by their mnemonics, as `dig` writes them.

use std::fmt;

use hickory_proto::op::ResponseCode;
use serde::{Serialize, Serializer};

/// A response code (IANA registry "DNS RCODEs").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rcode(pub u16);

impl Rcode {
    /// The name exists.
    pub const NOERROR: Self = Self(0);
    /// The server did not understand the question.
    pub const FORMERR: Self = Self(1);
    /// The server failed.
    pub const SERVFAIL: Self = Self(2);
    /// The name does not exist.
    pub const NXDOMAIN: Self = Self(3);
    /// The server does not know the kind of question.
    pub const NOTIMP: Self = Self(4);
    /// The server will not answer.
    pub const REFUSED: Self = Self(5);
    /// The server is not authoritative.
    pub const NOTAUTH: Self = Self(9);
    /// The server does not speak this version of EDNS.
    pub const BADVERS: Self = Self(16);

    /// Whether the answer says something about the name.
    pub fn is_answer(self) -> bool {
        self == Self::NOERROR || self == Self::NXDOMAIN
    }
}

impl From<ResponseCode> for Rcode {
    fn from(code: ResponseCode) -> Self {
        Self(code.into())
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mnemonic = match self.0 {
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            6 => "YXDOMAIN",
            7 => "YXRRSET",
            8 => "NXRRSET",
            9 => "NOTAUTH",
            10 => "NOTZONE",
            16 => "BADVERS",
            23 => "BADCOOKIE",
            other => return write!(f, "RCODE{other}"),
        };
        f.write_str(mnemonic)
    }
}

impl Serialize for Rcode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
