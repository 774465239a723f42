//! The options that name the recipients of a share.

use crate::api::ids::{AccountId, OrganizationId};
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::federation::accounts::AccountDirectory;
use crate::flow::federation::recipients::{self, Audience, RecipientArgs};

#[derive(clap::Args, Debug)]
pub struct AudienceArgs {
    /// ID or name of a recipient account (repeatable)
    #[arg(long, value_name = "ACCOUNT", num_args = 1..)]
    pub to: Vec<String>,

    /// Share with this organization: all its accounts, present and future
    #[arg(long, value_name = "ID")]
    pub to_organization: Option<OrganizationId>,

    /// Share with your whole organization, present and future accounts
    #[arg(long)]
    pub entire_organization: bool,

    /// Allow accounts that the token cannot see
    #[arg(long)]
    pub unseen: bool,
}

impl AudienceArgs {
    /// For the group of options of which a command takes one.
    pub const EXCLUSIVE: [&'static str; 3] = ["to", "to_organization", "entire_organization"];

    pub fn is_empty(&self) -> bool {
        self.to.is_empty() && self.to_organization.is_none() && !self.entire_organization
    }

    pub fn resolve(
        self,
        own: &AccountId,
        directory: &AccountDirectory,
        context: &Context,
    ) -> Result<Audience, FlowError> {
        let named = match (self.to_organization, self.entire_organization) {
            (Some(id), _) => RecipientArgs::Organization(id),
            (None, true) => RecipientArgs::EntireOrganization,
            (None, false) => RecipientArgs::Accounts(self.to),
        };
        let (audience, warnings) =
            recipients::resolve_recipients(named, own, directory, self.unseen)?;
        for warning in warnings {
            context.screen.warn(warning);
        }
        Ok(audience)
    }
}

/// Single accounts need no confirmation.
pub async fn confirm(audience: &Audience, name: &str, context: &Context) -> anyhow::Result<()> {
    if !matches!(audience, Audience::Accounts(_)) {
        let action = "share it with all accounts of the organization, present and future";
        context.confirm(name, action).await?;
    }
    Ok(())
}
