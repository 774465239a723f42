//! What was read for the checks. A missing fact contains the reason.

use crate::api::access_log::LoginRow;
use crate::api::access_user::{Identity, User};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::AccountId;
use crate::api::member::Member;
use crate::api::organization::Organization;
use crate::api::policy::Policy;
use crate::api::token::Verification;
use crate::api::{Client, Error, ErrorKind, permission};
use crate::flow;
use crate::flow::idp_test::TestedAt;
use crate::flow::policy_decision::{PolicyContext, References};
use crate::flow::token::Owner;
use crate::idp::Fetcher;
use crate::idp::check::IdpCheck;

pub struct Sources {
    /// Without it, the health of identity providers is not checked.
    pub fetcher: Option<Fetcher>,
    pub recovery: Option<Client>,
    pub audit_log: bool,
}

pub type Checked<T> = Result<T, NotChecked>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    pub kind: ErrorKind,
    /// In words; the name of the permission if the token lacks one.
    pub reason: String,
}

pub struct Facts {
    pub account: AccountId,
    pub organization: Checked<Organization>,
    pub idps: Checked<Vec<Idp>>,
    /// Of the identity providers that the SSO App allows.
    pub health: Vec<Health>,
    pub apps: Checked<Vec<App>>,
    /// Of the SSO App; empty if there is none.
    pub policies: Checked<Vec<Policy>>,
    pub references: References,
    pub members: Checked<Vec<Member>>,
    /// The newest sign-ins, to any application.
    pub logins: Checked<Vec<LoginRow>>,
    pub users: Checked<Vec<User>>,
    /// Last sign-ins of users, if the log lacks one for some identity provider.
    pub identities: Vec<Identity>,
    pub hand_tests: Vec<TestedAt>,
    /// `None` if not requested.
    pub audit_log: Option<Checked<()>>,
    pub token: Checked<Token>,
    pub recovery: Option<Recovery>,
}

#[derive(Clone, Debug)]
pub struct Health {
    pub name: String,
    pub id: String,
    /// `None` if there was no time for the check.
    pub points: Option<Vec<IdpCheck>>,
}

#[derive(Clone, Debug)]
pub struct Token {
    /// Follows from the API route that recognizes the token.
    pub owner: Owner,
    /// `None` for a Global API Key.
    pub verification: Option<Verification>,
}

#[derive(Clone, Debug)]
pub struct Recovery {
    pub token: Checked<Token>,
    pub connectors: Checked<Vec<Connector>>,
}

impl Facts {
    pub fn sso_app(&self) -> Result<Option<&App>, &NotChecked> {
        Ok(self.apps.as_ref()?.iter().find(|app| app.is_dash_sso()))
    }

    /// `None` if there is no SSO App.
    pub fn policy_context(&self) -> Result<Option<PolicyContext<'_>>, &NotChecked> {
        let Some(app) = self.sso_app()? else { return Ok(None) };
        let (policies, idps) = (self.policies.as_ref()?, self.idps.as_deref().ok());
        let known = (self.account.as_str(), &self.references);
        Ok(Some(PolicyContext::new(app, policies, idps, known)))
    }

    pub fn otp_idps(&self) -> Result<Vec<&Idp>, &NotChecked> {
        let idps = self.idps.as_ref()?.iter();
        Ok(idps.filter(|idp| idp.kind == IdpType::OneTimePin).collect())
    }
}

pub fn checked<T>(answer: Result<T, Error>) -> Checked<T> {
    answer.map_err(|error| NotChecked::from(&error))
}

/// Only a missing permission becomes a fact; other errors stay errors.
pub fn unless_forbidden<T>(read: Result<T, flow::Error>) -> Result<Checked<T>, flow::Error> {
    match read {
        Err(flow::Error::Api(error)) if error.kind() == ErrorKind::Forbidden => {
            Ok(Err(NotChecked::from(&error)))
        }
        read => read.map(Ok),
    }
}

impl From<&Error> for NotChecked {
    fn from(error: &Error) -> Self {
        let reason = match (error.kind(), permission::required(&error.request)) {
            (ErrorKind::Forbidden, Some(name)) => format!("the token lacks the permission {name}"),
            (ErrorKind::Forbidden, None) => format!("the token cannot {}", error.request),
            (ErrorKind::AccessNotEnabled, _) => {
                "the account has no Zero Trust organization".to_owned()
            }
            _ => error.line(),
        };
        Self { kind: error.kind(), reason }
    }
}
