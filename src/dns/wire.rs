//! One query to one server: UDP, then TCP if the response was truncated.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::config::HttpsServer;
use super::question::Question;
use super::rcode::Rcode;
use super::reply::{Failure, Reply, Transport};

/// For servers that send more than requested.
const BUFFER: usize = 4096;
/// Limit of unrelated packets to read.
const STRAY_PACKETS: usize = 100;

#[derive(Clone, Debug)]
pub(super) enum Endpoint {
    Udp(SocketAddr),
    Https(Arc<HttpsServer>, Arc<rustls::ClientConfig>),
}

/// `limit` is for all attempts together.
pub(super) async fn query(
    endpoint: &Endpoint,
    question: &Question,
    limit: Duration,
) -> Result<Reply, Failure> {
    let started = Instant::now();
    let asked = async {
        match endpoint {
            Endpoint::Udp(server) => plain(*server, question, limit).await,
            Endpoint::Https(server, tls) => super::https::ask(server, tls, question).await,
        }
    };
    let mut reply = timeout(limit, asked).await.map_err(|_| Failure::TimedOut(limit))??;
    reply.rtt = started.elapsed();
    Ok(reply)
}

async fn plain(server: SocketAddr, question: &Question, limit: Duration) -> Result<Reply, Failure> {
    let mut query = question.message();
    let mut reply = over_udp(server, question, &query, limit).await?;
    let rcode = Rcode::from(reply.metadata.response_code);
    let without_edns = [Rcode::FORMERR, Rcode::NOTIMP, Rcode::BADVERS].contains(&rcode);
    if without_edns {
        // RFC 6891 section 6.2.2: an old server may refuse the option itself.
        query.edns = None;
        reply = over_udp(server, question, &query, limit).await?;
    }
    let truncated = reply.metadata.truncation;
    let transport = if truncated { Transport::Tcp } else { Transport::Udp };
    if truncated {
        // An incomplete set of records is not conclusive.
        let whole = timeout(limit / 2, over_tcp(server, question, &query)).await;
        reply = whole
            .unwrap_or(Err(Failure::TimedOut(limit / 2)))
            .map_err(|failure| Failure::Truncated(Box::new(failure)))?;
    }
    Ok(Reply { server, message: reply, transport, truncated, rtt: Duration::ZERO })
}

async fn over_udp(
    server: SocketAddr,
    question: &Question,
    query: &Message,
    limit: Duration,
) -> Result<Message, Failure> {
    let socket = connected(server).await.map_err(|error| socket_failure(&error))?;
    let packet = encode(query)?;
    socket.send(&packet).await?;
    let answer = receive(&socket, question, query.metadata.id);
    tokio::pin!(answer);
    // A lost packet is sent once more within the same time limit.
    if let Ok(answer) = timeout(limit / 2, &mut answer).await {
        return answer;
    }
    socket.send(&packet).await?;
    answer.await
}

/// Only receives packets from `server`; the system chooses the port.
async fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any = if server.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket)
}

/// Only a missing route means that the server was not queried; for other errors that is unknown.
fn socket_failure(error: &io::Error) -> Failure {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    // EAFNOSUPPORT if IPv6 is switched off: Linux, macOS, Windows.
    let is_family_off = matches!(error.raw_os_error(), Some(97 | 47 | 10047));
    if is_family_off
        || [AddrNotAvailable, HostUnreachable, NetworkUnreachable].contains(&error.kind())
    {
        return Failure::NoRoute(error.to_string());
    }
    Failure::Network(error.to_string())
}

async fn receive(socket: &UdpSocket, question: &Question, id: u16) -> Result<Message, Failure> {
    let mut buffer = vec![0; BUFFER];
    for _ in 0..STRAY_PACKETS {
        let length = socket.recv(&mut buffer).await?;
        let packet = buffer.get(..length).unwrap_or(&[]);
        match question.read(id, packet) {
            None => {}
            Some(Err(_)) if is_truncated(packet) => return Ok(truncated_message(question, id)),
            Some(answer) => return answer,
        }
    }
    Err(Failure::Malformed(format!("{STRAY_PACKETS} packets for other questions")))
}

/// Whether an unreadable packet is marked as truncated, or was cut off by the buffer.
fn is_truncated(packet: &[u8]) -> bool {
    packet.len() == BUFFER || packet.get(2).is_some_and(|flags| flags & 0b10 != 0)
}

/// Stands for a response of which only the truncation is known.
fn truncated_message(question: &Question, id: u16) -> Message {
    let mut message = question.message().into_response();
    message.metadata.id = id;
    message.metadata.truncation = true;
    message
}

async fn over_tcp(
    server: SocketAddr,
    question: &Question,
    query: &Message,
) -> Result<Message, Failure> {
    let packet = encode(query)?;
    let length =
        u16::try_from(packet.len()).map_err(|error| Failure::Network(error.to_string()))?;
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&[&length.to_be_bytes()[..], &packet].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    question.read(query.metadata.id, &answer).unwrap_or_else(|| {
        Err(Failure::Malformed("the response is for another question".to_owned()))
    })
}

fn encode(query: &Message) -> Result<Vec<u8>, Failure> {
    query.to_vec().map_err(|error| Failure::Network(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_route_means_not_asked() {
        for (kind, is_unasked) in [
            (io::ErrorKind::NetworkUnreachable, true),
            (io::ErrorKind::AddrNotAvailable, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::OutOfMemory, false),
        ] {
            let failure = socket_failure(&io::Error::from(kind));
            assert_eq!(matches!(failure, Failure::NoRoute(_)), is_unasked, "{kind}");
        }
        let too_many_files = io::Error::from_raw_os_error(24);
        assert!(matches!(socket_failure(&too_many_files), Failure::Network(_)));
    }

    #[test]
    fn an_unreadable_packet_may_still_say_that_it_is_truncated() {
        let mut header = [0; 12];
        assert!(!is_truncated(&header));
        header[2] = 0b10;
        assert!(is_truncated(&header));
        assert!(is_truncated(&[0; BUFFER]));
        assert!(!is_truncated(&[]));
    }
}
