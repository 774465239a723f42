//! The simulator: the API areas of this program and an authoritative name server, on loopback.
