//! Sends requests: retries, paging, and look-ups of creations whose response was lost.

mod attempt;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::sync::{OnceCell, Semaphore};

pub use self::attempt::ResponseMeta;
use self::attempt::{AttemptResult, RetryState};
use super::config::Config;
use super::credentials::Credentials;
use super::error::Error;
use super::http::HttpTransport;
use super::http_message::{HttpRequest, HttpResponse};
use super::mask::mask_with;
use super::odd::{self, OddRecord};
use super::pages;
use super::request::{Paging, Request, WriteRequest};
use super::request_error::RequestError;
use super::{throttle, trace};
use crate::clock::Clock;
use crate::mutex::lock;

pub const MAX_RETRY_WAIT: Duration = Duration::from_mins(1);

/// A shorter wait needs no message.
const NOTICEABLE: Duration = Duration::from_secs(2);

/// Window of the API's rate limit (API reference, section 1.4).
const WINDOW: Duration = Duration::from_mins(5);

/// RFC 6585, section 4.
const THROTTLED: u16 = 429;

/// Limit of concurrent requests, if many accounts are read.
const MAX_IN_FLIGHT: usize = 16;

/// Stands for a missing result, except of a list.
const NULL: &str = "null";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created<T> {
    New(T),
    /// The response was lost; the object was found afterwards.
    Existing(T),
}

impl<T> Created<T> {
    pub fn into_inner(self) -> T {
        match self {
            Self::New(value) | Self::Existing(value) => value,
        }
    }
}

/// Cheap to create: certificates are loaded with the first request.
pub struct Client {
    config: Config,
    clock: Clock,
    /// Whether its pace is [`Pace::Steady`].
    is_steady: AtomicBool,
    shared: Arc<Shared>,
    unanswered: Mutex<Vec<(u64, String)>>,
    odd: Mutex<BTreeSet<OddRecord>>,
    requests: AtomicU64,
}

/// Shared by clients of the same credential: connections and the rate limit.
struct Shared {
    wire: OnceCell<HttpTransport>,
    /// No request is sent before this time.
    paused_until: Mutex<Option<Timestamp>>,
    in_flight: Semaphore,
    /// Taken by the first pause that is worth a message.
    on_pause: Mutex<Option<PauseObserver>>,
}

type PauseObserver = Box<dyn Fn(Duration) + Send + Sync>;

/// Treatment of the rate limit (API reference, section 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// For a few requests: a full window is an error after a short wait.
    Brief,
    /// For any number of requests: pauses before the window is full, until the next one.
    Steady,
}

impl Pace {
    fn longest_wait(self) -> Duration {
        match self {
            Self::Brief => MAX_RETRY_WAIT,
            Self::Steady => WINDOW,
        }
    }

    fn reserve(self) -> u64 {
        match self {
            Self::Brief => 0,
            Self::Steady => MAX_IN_FLIGHT as u64,
        }
    }

    /// How long to pause all requests after this response.
    fn pause_after(self, answer: &HttpResponse) -> Option<Duration> {
        let asked = answer.rate_limit.as_deref();
        let asked = asked.and_then(|value| throttle::rate_limit_wait(value, self.reserve()));
        match self {
            // The throttled request itself waits for `Retry-After`.
            Self::Brief => asked,
            Self::Steady => asked.max(answer.retry_after.filter(|_| answer.status == THROTTLED)),
        }
    }
}

impl Client {
    pub fn new(config: Config, clock: Clock) -> Self {
        let shared = Shared {
            wire: OnceCell::new(),
            paused_until: Mutex::default(),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            on_pause: Mutex::default(),
        };
        Self::sharing(Arc::new(shared), Pace::Brief, config, clock)
    }

    /// `observer` is called once, before the first wait for the rate limit.
    pub fn on_first_pause(self, observer: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        *lock(&self.shared.on_pause) = Some(Box::new(observer));
        self
    }

    fn announce_pause(&self, wait: Duration) {
        if wait >= NOTICEABLE
            && let Some(observer) = lock(&self.shared.on_pause).take()
        {
            observer(wait);
        }
    }

    /// For one of many accounts: own odd records, shared connections and rate limit.
    pub fn for_account(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Self::sharing(shared, Pace::Steady, self.config.clone(), self.clock.clone())
    }

    /// From now on, waits for the next window of the rate limit instead of failing: for a run that
    /// must not stop half-way.
    pub fn wait_for_rate_limit(&self) {
        self.is_steady.store(true, Ordering::Relaxed);
    }

    fn pace(&self) -> Pace {
        if self.is_steady.load(Ordering::Relaxed) { Pace::Steady } else { Pace::Brief }
    }

    fn sharing(shared: Arc<Shared>, pace: Pace, config: Config, clock: Clock) -> Self {
        Self {
            config,
            clock,
            is_steady: AtomicBool::new(pace == Pace::Steady),
            shared,
            unanswered: Mutex::default(),
            odd: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self::new(Config { credentials, ..self.config.clone() }, self.clock.clone())
    }

    /// The same client without the deadline of `--timeout`, for work with its own deadline.
    pub fn without_deadline(&self) -> Self {
        Self::new(Config { deadline: None, ..self.config.clone() }, self.clock.clone())
    }

    /// False for the Global API Key.
    pub fn uses_token(&self) -> bool {
        matches!(self.config.credentials, Credentials::Token(_))
    }

    pub async fn send<T>(&self, request: &Request<T>) -> Result<T, Error> {
        Ok(self.carry(request).await?.0)
    }

    /// Sends a write. Only the executor of actions calls it, so that every write is journaled.
    pub async fn write<T>(&self, request: &WriteRequest<T>) -> Result<(T, ResponseMeta), Error> {
        self.carry(request).await
    }

    /// Reads all pages. Records that cannot be decoded are kept in [`Client::odd_records`].
    pub async fn list<T: DeserializeOwned>(
        &self,
        request: &Request<Vec<T>>,
    ) -> Result<Vec<T>, Error> {
        let noun = odd::noun(request.segments());
        let (bytes, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let decode = |text: Option<&str>| {
            let text = text.unwrap_or_default();
            bytes.fetch_add(text.len(), Ordering::Relaxed);
            odd::decode::<T>(noun, count.load(Ordering::Relaxed), text)
        };
        let mut all = Vec::new();
        let mut cursor = None::<String>;
        for page in 1..=pages::MAX_PAGES {
            let sent = match request.paging() {
                Some(Paging::Numbered { size }) => {
                    vec![("page", page.to_string()), ("per_page", size.to_string())]
                }
                Some(Paging::Cursor { size }) => {
                    let next = cursor.take().map(|cursor| ("cursor", cursor));
                    [("limit", size.to_string())].into_iter().chain(next).collect()
                }
                None => Vec::new(),
            };
            let (part, meta) = self.carry_by(request, sent, &decode).await?;
            let read = count.fetch_add(part.items, Ordering::Relaxed) + part.items;
            if read > pages::MAX_RECORDS || bytes.load(Ordering::Relaxed) > pages::MAX_BYTES {
                break;
            }
            all.extend(part.records);
            lock(&self.odd).extend(part.odd);
            let goes_on = match request.paging() {
                Some(Paging::Numbered { size }) => {
                    pages::has_next_page(page, part.items, size, &meta.paging)
                }
                Some(Paging::Cursor { .. }) => {
                    cursor = meta.paging.cursor.filter(|cursor| !cursor.is_empty());
                    cursor.is_some() && part.items > 0
                }
                None => false,
            };
            if !goes_on {
                return Ok(all);
            }
        }
        let fault = RequestError::TooManyPages { records: count.into_inner() };
        Err(Error {
            request: self.mask(&request.to_string()),
            attempts: 1,
            fault,
            unconfirmed: None,
        })
    }

    /// The records of this run that could not be decoded, of one kind or of all.
    pub fn odd_records(&self, noun: Option<&str>) -> Vec<OddRecord> {
        let odd = lock(&self.odd);
        odd.iter().filter(|odd| noun.is_none_or(|noun| odd.noun == noun)).cloned().collect()
    }

    /// Removes and returns the odd records of one kind, for callers that report them.
    pub fn take_odd_records(&self, noun: &str) -> Vec<OddRecord> {
        lock(&self.odd).extract_if(.., |odd| odd.noun == noun).collect()
    }

    /// [`Client::write`] for a request that must not be executed twice: if the response is lost,
    /// `find` looks for the result before the request is sent again.
    pub async fn write_once<T>(
        &self,
        request: &WriteRequest<T>,
        find: impl AsyncFn() -> Result<Option<T>, Error>,
    ) -> Result<(Created<T>, ResponseMeta), Error> {
        let mut run = self.run(request, Vec::new());
        run.can_look = true;
        loop {
            match self.attempt(&mut run, &|text| request.decode(text.unwrap_or(NULL))).await? {
                AttemptResult::Done(value, meta) => return Ok((Created::New(value), meta)),
                AttemptResult::Retry => {}
                AttemptResult::LookUp { error, then_repeat } => match find().await {
                    Ok(Some(found)) => {
                        self.clear_unanswered(&mut run);
                        return Ok((Created::Existing(found), ResponseMeta::default()));
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

    /// Writes in progress or without a response, reported when a run is interrupted.
    pub fn unanswered_writes(&self) -> Vec<String> {
        lock(&self.unanswered).iter().map(|(_, name)| name.clone()).collect()
    }

    /// Requests sent so far, retries and pages included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// `text` without secrets, the credential in use included.
    pub fn mask(&self, text: &str) -> String {
        mask_with(text, self.config.credentials.secret())
    }

    async fn carry<T, M>(&self, request: &Request<T, M>) -> Result<(T, ResponseMeta), Error> {
        self.carry_by(request, Vec::new(), &|text| request.decode(text.unwrap_or(NULL))).await
    }

    async fn carry_by<T, M, V>(
        &self,
        request: &Request<T, M>,
        page: Vec<(&'static str, String)>,
        decode: &(dyn Fn(Option<&str>) -> serde_json::Result<V> + Sync),
    ) -> Result<(V, ResponseMeta), Error> {
        let mut run = self.run(request, page);
        loop {
            match self.attempt(&mut run, decode).await? {
                AttemptResult::Done(value, meta) => return Ok((value, meta)),
                AttemptResult::Retry => {}
                AttemptResult::LookUp { error, .. } => return Err(error),
            }
        }
    }

    fn run<T, M>(&self, request: &Request<T, M>, page: Vec<(&'static str, String)>) -> RetryState {
        let mut query = request.query_params().to_vec();
        query.extend(page);
        RetryState::new(HttpRequest {
            name: self.mask(&request.to_string()),
            method: request.method(),
            url: self.config.base.join(request.segments().iter().map(String::as_str), &query),
            body: request.body_text().map(str::to_owned),
            repeat: request.retry_mode(),
        })
    }
}
