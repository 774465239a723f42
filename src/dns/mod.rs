//! The TXT verifier: what the name servers of a domain serve, and what that means.
