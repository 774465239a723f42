//! One query to several servers at once; one good response is enough.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::task::JoinSet;

use super::question::Question;
use super::rcode::Rcode;
use super::reply::{Failure, Reply};
use super::wire::{Endpoint, query};

/// Returns the first accepted response, else the best other one, else all failures in order.
pub(super) async fn race_queries(
    endpoints: Vec<Endpoint>,
    question: Question,
    limit: Duration,
    accept: impl Fn(&Message) -> bool,
) -> Result<Reply, Vec<Failure>> {
    let question = Arc::new(question);
    let mut asked = JoinSet::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let question = Arc::clone(&question);
        asked.spawn(async move { (index, query(&endpoint, &question, limit).await) });
    }
    let mut best: Option<Reply> = None;
    let mut failures = Vec::new();
    while let Some(result) = asked.join_next().await {
        match result {
            Ok((_, Ok(reply))) if accept(&reply.message) => return Ok(reply),
            Ok((_, Ok(reply)))
                if best
                    .as_ref()
                    .is_none_or(|best| answer_quality(&reply) > answer_quality(best)) =>
            {
                best = Some(reply);
            }
            Ok((_, Ok(_))) | Err(_) => {}
            Ok((index, Err(failure))) => failures.push((index, failure)),
        }
    }
    failures.sort_by_key(|(index, _)| *index);
    best.ok_or_else(|| failures.into_iter().map(|(_, failure)| failure).collect())
}

fn answer_quality(reply: &Reply) -> u8 {
    match Rcode::from(reply.message.metadata.response_code) {
        Rcode::NOERROR => 2,
        Rcode::NXDOMAIN => 1,
        _ => 0,
    }
}
