//! Commands about Access, against a server that keeps what it is given as text:
//! odd numbers, unknown fields, and other people's changes included.

mod app;
mod email;
mod idp;
mod in_use;
mod secrets;
mod server;
mod team;
mod walks;
