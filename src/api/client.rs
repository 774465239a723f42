//! Carries requests: again where that is safe, page by page where there are
//! pages, and looks a creation up when its answer was lost.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::ExponentialBackoff;
use jiff::Timestamp;
use serde_json::Result as Decoded;
use tokio::sync::OnceCell;

use super::base::BaseUrl;
use super::credentials::Credentials;
use super::envelope::{self, NoSuccess};
use super::error::{Cause, Error, Fault, Refusal};
use super::kind::Kind;
use super::pages::{self, Paging};
use super::request::{Method, Request};
use super::retry::{self, Decision, Policy, Situation};
use super::roots::Roots;
use super::trace;
use super::wire::{Answer, Call, Limit, Wire};
use crate::clock::Clock;

/// The longest single wait that the API's wishes or back-off can lead to.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Where the API is, who calls, and how patiently.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API is.
    pub base: BaseUrl,
    /// Who calls.
    pub credentials: Credentials,
    /// Which certificates are trusted.
    pub roots: Roots,
    /// How often a request is sent again.
    pub max_retries: u32,
    /// How long one request may take, its answer included.
    pub request_timeout: Duration,
    /// When the whole command has to be over.
    pub deadline: Option<Timestamp>,
}

impl Config {
    /// The public API, the system's certificates, four retries, half a minute
    /// a request, no deadline.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            base: BaseUrl::default(),
            credentials,
            roots: Roots::default(),
            max_retries: 4,
            request_timeout: Duration::from_secs(30),
            deadline: None,
        }
    }
}

/// What became of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created<T> {
    /// The API answered that it was created.
    Now(T),
    /// The answer was lost; it was found afterwards.
    Found(T),
}

impl<T> Created<T> {
    /// What was created.
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            Self::Now(value) | Self::Found(value) => value,
        }
    }
}

/// The client of the API. Cheap to make: certificates are read, and the HTTP
/// client is built, when the first request is sent.
pub struct Client {
    config: Config,
    clock: Clock,
    wire: OnceCell<Wire>,
    /// Until when the API wants no further request.
    hold: Mutex<Option<Timestamp>>,
    unanswered: Mutex<Vec<(u64, String)>>,
}

/// A request on its way, attempt after attempt.
struct Run {
    call: Call,
    attempts: u32,
    /// A write whose outcome is unknown after an earlier attempt.
    lost: bool,
    can_look: bool,
    backoff: ExponentialBackoff,
    ticket: Option<u64>,
}

/// What follows an attempt.
enum Next<T> {
    Done(T, Paging),
    Again,
    LookUp { error: Error, then_repeat: bool },
}

impl Client {
    /// A client that sends nothing yet.
    #[must_use]
    pub fn new(config: Config, clock: Clock) -> Self {
        Self {
            config,
            clock,
            wire: OnceCell::new(),
            hold: Mutex::default(),
            unanswered: Mutex::default(),
        }
    }

    /// Sends a request and reads its result.
    pub async fn send<T>(&self, request: &Request<T>) -> Result<T, Error> {
        Ok(self.carry(request, None).await?.0)
    }

    /// Reads a list to its end, page by page where the request says so.
    pub async fn list<T>(&self, request: &Request<Vec<T>>) -> Result<Vec<T>, Error> {
        let Some(size) = request.page_size() else { return self.send(request).await };
        let mut all = Vec::new();
        for page in 1..=pages::MOST {
            let (items, paging) = self.carry(request, Some((page, size))).await?;
            let goes_on = pages::goes_on(page, items.len(), size, paging);
            all.extend(items);
            if !goes_on {
                return Ok(all);
            }
        }
        let fault = Fault::Endless { pages: pages::MOST };
        Err(Error { request: self.mask(&request.to_string()), attempts: 1, fault, lost: None })
    }

    /// Creates something. If the answer is lost, `find` looks whether it was
    /// created all the same, before it is sent again.
    pub async fn create<T>(
        &self,
        request: &Request<T>,
        find: impl AsyncFn() -> Result<Option<T>, Error>,
    ) -> Result<Created<T>, Error> {
        let mut run = self.run(request, None);
        run.can_look = true;
        loop {
            match self.attempt(&mut run, &|text| request.decode(text)).await? {
                Next::Done(value, _) => return Ok(Created::Now(value)),
                Next::Again => {}
                Next::LookUp { error, then_repeat } => match find().await {
                    Ok(Some(found)) => {
                        self.settle(&mut run);
                        return Ok(Created::Found(found));
                    }
                    Ok(None) if then_repeat => {}
                    Ok(None) => return Err(error),
                    Err(look_up) => {
                        trace::look_up_failed(&run.call, &look_up);
                        return Err(error);
                    }
                },
            }
        }
    }

    /// The writes that were sent and whose outcome is not known: under way, or
    /// lost. For what an interruption has to say.
    #[must_use]
    pub fn unanswered(&self) -> Vec<String> {
        lock(&self.unanswered).iter().map(|(_, name)| name.clone()).collect()
    }

    /// `text` without secrets, the credential in use included.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        super::mask::mask_with(text, self.config.credentials.secret())
    }

    async fn carry<T>(
        &self,
        request: &Request<T>,
        page: Option<(u32, u32)>,
    ) -> Result<(T, Paging), Error> {
        let mut run = self.run(request, page);
        loop {
            match self.attempt(&mut run, &|text| request.decode(text)).await? {
                Next::Done(value, paging) => return Ok((value, paging)),
                Next::Again => {}
                Next::LookUp { error, .. } => return Err(error),
            }
        }
    }

    fn run<T>(&self, request: &Request<T>, page: Option<(u32, u32)>) -> Run {
        let mut query: Vec<(&str, String)> = request.parameters().to_vec();
        if let Some((page, size)) = page {
            query.push(("page", page.to_string()));
            query.push(("per_page", size.to_string()));
        }
        Run {
            call: Call {
                name: self.mask(&request.to_string()),
                method: request.method(),
                url: self.config.base.join(request.segments().iter().map(String::as_str), &query),
                body: request.body_text().map(str::to_owned),
                repeat: request.repeat(),
            },
            attempts: 0,
            lost: false,
            can_look: false,
            backoff: retry::backoff(),
            ticket: None,
        }
    }

    /// Sends it once; if that fails, waits for as long as it takes until it
    /// may be looked up or sent again.
    async fn attempt<T>(
        &self,
        run: &mut Run,
        decode: &(dyn Fn(&str) -> Decoded<T> + Sync),
    ) -> Result<Next<T>, Error> {
        let fault = match self.once(run, decode).await {
            Ok((value, paging)) => {
                self.settle(run);
                return Ok(Next::Done(value, paging));
            }
            Err(fault) => fault,
        };
        if run.lost && run.call.method == Method::Delete && is_gone(run, &fault) {
            // The attempt whose answer was lost has removed it.
            if let Ok(value) = decode("null") {
                self.settle(run);
                return Ok(Next::Done(value, Paging::default()));
            }
        }
        let refused_after_loss = run.lost && run.can_look && stands_in_the_way(run, &fault);
        let is_write = !run.call.method.is_read();
        run.lost |= is_write && fault.leaves_outcome_unknown(&run.call.name);
        if !run.lost {
            self.settle(run);
        }
        if refused_after_loss {
            return Ok(Next::LookUp { error: run.error(fault), then_repeat: false });
        }
        self.follow(run, fault).await
    }

    /// Does what the retry policy says about a fault.
    async fn follow<T>(&self, run: &mut Run, fault: Fault) -> Result<Next<T>, Error> {
        let policy = Policy { max_retries: self.config.max_retries, longest_wait: LONGEST_WAIT };
        let situation = Situation {
            attempts: run.attempts,
            repeat: run.call.repeat,
            can_look: run.can_look,
            trouble: fault.trouble(&run.call.name),
            asked: fault.retry_after(),
            left: self.left(),
            backoff: run.backoff.next().unwrap_or(LONGEST_WAIT),
        };
        match retry::decide(&situation, &policy) {
            Decision::Stop => Err(run.error(fault)),
            Decision::Wait(wait) => {
                trace::retry(&run.call, &fault, wait, "is sent again");
                self.clock.sleep(wait).await;
                Ok(Next::Again)
            }
            Decision::LookUp { wait, then_repeat } => {
                trace::retry(&run.call, &fault, wait, "is looked up");
                self.clock.sleep(wait).await;
                Ok(Next::LookUp { error: run.error(fault), then_repeat })
            }
        }
    }

    /// One exchange, judged: by status first, then by the envelope.
    async fn once<T>(
        &self,
        run: &mut Run,
        decode: &(dyn Fn(&str) -> Decoded<T> + Sync),
    ) -> Result<(T, Paging), Fault> {
        let wire = self.wire.get_or_try_init(async || Wire::new(&self.config)).await;
        let wire = wire.map_err(Fault::Setup)?;
        self.wait_for_the_rate_limit(&run.call).await?;
        let limit = self.limit()?;
        run.attempts += 1;
        if !run.call.method.is_read() {
            self.note(run);
        }
        let answer = wire.exchange(&run.call, limit, self.clock.now()).await?;
        if let Some(hold) = answer.hold {
            *lock(&self.hold) = self.clock.now().saturating_add(hold).ok();
        }
        judge(answer, decode, wire.secret())
    }

    async fn wait_for_the_rate_limit(&self, call: &Call) -> Result<(), Fault> {
        let until = *lock(&self.hold);
        let wait = until.map(|until| self.until(until)).unwrap_or_default().min(LONGEST_WAIT);
        if wait.is_zero() {
            return Ok(());
        }
        if self.left().is_some_and(|left| left <= wait) {
            return Err(Fault::OutOfTime { sent: false, ray: None });
        }
        trace::hold(call, wait);
        self.clock.sleep(wait).await;
        Ok(())
    }

    /// How long an exchange that starts now may take.
    fn limit(&self) -> Result<Limit, Fault> {
        let duration = self.config.request_timeout;
        match self.left() {
            Some(Duration::ZERO) => Err(Fault::OutOfTime { sent: false, ray: None }),
            Some(left) if left < duration => Ok(Limit { duration: left, is_deadline: true }),
            _ => Ok(Limit { duration, is_deadline: false }),
        }
    }

    fn left(&self) -> Option<Duration> {
        self.config.deadline.map(|deadline| self.until(deadline))
    }

    fn until(&self, then: Timestamp) -> Duration {
        then.duration_since(self.clock.now()).try_into().unwrap_or(Duration::ZERO)
    }

    /// Notes that a write is about to leave.
    fn note(&self, run: &mut Run) {
        if run.ticket.is_none() {
            let mut unanswered = lock(&self.unanswered);
            let ticket = unanswered.last().map_or(0, |(last, _)| last + 1);
            unanswered.push((ticket, run.call.name.clone()));
            run.ticket = Some(ticket);
        }
    }

    /// Notes that its outcome is known.
    fn settle(&self, run: &mut Run) {
        if let Some(settled) = run.ticket.take() {
            lock(&self.unanswered).retain(|(ticket, _)| *ticket != settled);
        }
    }
}

impl Run {
    fn error(&self, fault: Fault) -> Error {
        Error {
            request: self.call.name.clone(),
            attempts: self.attempts,
            fault,
            lost: self.lost.then_some(self.call.repeat),
        }
    }

    fn kind(&self, fault: &Fault) -> Option<Kind> {
        match fault {
            Fault::Refused(refusal) => Some(super::kind::of_refusal(&self.call.name, refusal)),
            _ => None,
        }
    }
}

fn is_gone(run: &Run, fault: &Fault) -> bool {
    run.kind(fault) == Some(Kind::NotFound)
}

/// Whether it may be the lost attempt itself that stands in the way.
fn stands_in_the_way(run: &Run, fault: &Fault) -> bool {
    matches!(run.kind(fault), Some(Kind::Conflict | Kind::Invalid | Kind::Other))
}

fn judge<T>(
    answer: Answer,
    decode: &(dyn Fn(&str) -> Decoded<T> + Sync),
    secret: &str,
) -> Result<(T, Paging), Fault> {
    let Answer { status, ray, retry_after, body, points_to, .. } = answer;
    if let Some(to) = points_to {
        return Err(Fault::Redirected { status, to, ray });
    }
    let refused =
        |errors, ray| Fault::Refused(Box::new(Refusal { status, errors, ray, retry_after }));
    if !(200..300).contains(&status) {
        return Err(refused(envelope::errors(&body, secret), ray));
    }
    let success = match envelope::read(&body, secret) {
        Ok(success) => success,
        Err(NoSuccess::Refused(errors)) => return Err(refused(errors, ray)),
        Err(NoSuccess::Unreadable { cut, why }) => {
            return Err(Fault::Unreadable { status, ray, cut, source: why });
        }
    };
    let value = decode(success.result).map_err(|error| Fault::Unreadable {
        status,
        ray,
        cut: false,
        source: Cause(super::mask::mask_with(&error.to_string(), secret)),
    })?;
    Ok((value, success.paging))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
