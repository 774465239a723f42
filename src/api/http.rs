//! One HTTP exchange, limited in size and time. Retries are decided elsewhere.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::config::Config;
use super::http_message::{HttpRequest, HttpResponse};
use super::mask::mask_with;
use super::request_error::{Cause, RequestError, SetupError};
use super::{throttle, tls, trace};

pub(super) const MAX_BODY: usize = 32 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct HttpTransport {
    http: reqwest::Client,
    headers: HeaderMap,
    secret: SecretString,
    host: String,
}

#[derive(Clone, Copy)]
pub(super) struct Timeout {
    pub duration: Duration,
    /// The time left for the whole command, not for the request.
    pub is_deadline: bool,
}

impl HttpTransport {
    /// Loads the certificates to trust; opens no connection.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        config.credentials.check()?;
        let plain = config.base.is_plain_http();
        let tls = if plain { tls::none() } else { config.roots.tls()? };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT.min(config.request_timeout / 2))
            .user_agent(concat!("cfsso/", env!("CARGO_PKG_VERSION")));
        // A proxy would read the token of an unencrypted request.
        let http = match config.proxy.checked()? {
            _ if plain => http.no_proxy(),
            Some(proxy) => http.proxy(proxy),
            None => http,
        };
        Ok(Self {
            http: http.build().map_err(|error| SetupError::Http(innermost_error(&error, "")))?,
            headers: headers(config)?,
            secret: config.credentials.secret().into(),
            host: config.base.host(),
        })
    }

    pub async fn exchange(
        &self,
        call: &HttpRequest,
        limit: Timeout,
        now: Timestamp,
    ) -> Result<HttpResponse, RequestError> {
        let started = Instant::now();
        let result = self.send(call, limit, started + limit.duration, now).await;
        trace::response(call, &result, started.elapsed());
        result
    }

    /// The credential in use, which no text may show.
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    async fn send(
        &self,
        call: &HttpRequest,
        limit: Timeout,
        end: Instant,
        now: Timestamp,
    ) -> Result<HttpResponse, RequestError> {
        let method = reqwest::Method::from_bytes(call.method.as_str().as_bytes())
            .expect("these are methods of HTTP");
        let mut request = self.http.request(method, call.url.clone()).headers(self.headers.clone());
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        trace::sent(call, &self.headers, self.secret());
        let mut response = match timeout_at(end, request.send()).await {
            Err(_) => return Err(self.timeout_error(limit, None)),
            Ok(Err(error)) => return Err(self.send_error(&error, None)),
            Ok(Ok(response)) => response,
        };
        trace::headers(response.headers(), self.secret());
        let mut answer = head(&response, &call.url, now);
        let read = self.read(&mut response, &mut answer, limit, end).await;
        // An error response counts even if its body is incomplete.
        if let Err(fault) = read
            && response.status().is_success()
        {
            return Err(fault);
        }
        trace::body("<", &answer.body, self.secret());
        Ok(answer)
    }

    async fn read(
        &self,
        response: &mut reqwest::Response,
        answer: &mut HttpResponse,
        limit: Timeout,
        end: Instant,
    ) -> Result<(), RequestError> {
        let too_large = RequestError::TooLarge { limit: MAX_BODY, ray: answer.ray.clone() };
        let announced = response.content_length().unwrap_or_default();
        if announced > MAX_BODY as u64 {
            return Err(too_large);
        }
        loop {
            let chunk = match timeout_at(end, response.chunk()).await {
                Err(_) => return Err(self.timeout_error(limit, answer.ray.clone())),
                Ok(Err(error)) => return Err(self.send_error(&error, answer.ray.clone())),
                Ok(Ok(None)) => return Ok(()),
                Ok(Ok(Some(chunk))) => chunk,
            };
            if answer.body.len() + chunk.len() > MAX_BODY {
                return Err(too_large);
            }
            answer.body.extend_from_slice(&chunk);
        }
    }

    fn timeout_error(&self, limit: Timeout, ray: Option<String>) -> RequestError {
        if limit.is_deadline {
            return RequestError::DeadlineExceeded { sent: true, ray };
        }
        let source = Cause(format!("the time limit of {:?} passed", limit.duration));
        RequestError::NoResponse { host: self.host.clone(), ray, source }
    }

    fn send_error(&self, error: &reqwest::Error, ray: Option<String>) -> RequestError {
        let source = innermost_error(error, self.secret());
        let host = self.host.clone();
        if is_untrusted(error) {
            RequestError::Untrusted { host, source }
        } else if error.is_connect() {
            RequestError::NotSent { host, source }
        } else if error.is_builder() {
            RequestError::Setup(SetupError::Http(source))
        } else {
            RequestError::NoResponse { host, ray, source }
        }
    }
}

fn headers(config: &Config) -> Result<HeaderMap, SetupError> {
    let mut headers = HeaderMap::new();
    for (name, value) in config.credentials.headers() {
        let mut value = HeaderValue::try_from(value)
            .map_err(|error| SetupError::Http(Cause(error.to_string())))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn head(response: &reqwest::Response, url: &Url, now: Timestamp) -> HttpResponse {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let is_redirect = response.status().is_redirection();
    HttpResponse {
        status: response.status().as_u16(),
        ray: header("cf-ray").map(|ray| ray.chars().filter(|c| !c.is_control()).collect()),
        retry_after: header(RETRY_AFTER.as_str())
            .and_then(|value| throttle::retry_after(value, now)),
        rate_limit: header("ratelimit").map(str::to_owned),
        body: Vec::new(),
        redirect_origin: is_redirect.then(|| redirect_origin(header(LOCATION.as_str()), url)),
    }
}

/// The scheme and host only: the path may contain anything.
fn redirect_origin(location: Option<&str>, url: &Url) -> String {
    let Some(target) = location.and_then(|location| url.join(location).ok()) else {
        return "nowhere".to_owned();
    };
    let host = target.host_str().unwrap_or_default();
    let port = target.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("`{}://{host}{port}`", target.scheme())
}

/// The innermost error, the only one that names a cause.
fn innermost_error(error: &reqwest::Error, secret: &str) -> Cause {
    let text = match layers(error).last().map(ToString::to_string) {
        Some(text) if !text.is_empty() => text,
        _ if error.is_timeout() => "the connection timed out".to_owned(),
        _ => error.to_string(),
    };
    Cause(mask_with(&text, secret))
}

fn is_untrusted(error: &reqwest::Error) -> bool {
    layers(error).any(|layer| matches!(of_tls(layer), Some(rustls::Error::InvalidCertificate(_))))
}

fn layers(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&layer| layer.source())
}

/// TLS errors come wrapped in I/O errors, perhaps twice, which `source` skips.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let Some(outer) = error.downcast_ref::<io::Error>() else { return error.downcast_ref() };
    of_tls(outer.get_ref()?)
}
