//! The members of an account.

use cfsso::sandbox::{Access, Membership, Role, Sandbox};
use serde_json::Value;

use super::client::ask;
use super::sandbox;

async fn emails(sandbox: &Sandbox, query: &str) -> Vec<String> {
    let request = format!("GET /accounts/{}/members{query}", sandbox.account());
    let list = ask(sandbox, Access::ReadOnly, &request, None).await.result();
    let email = |member: &Value| member["user"]["email"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(email).collect()
}

#[tokio::test]
async fn members_come_with_their_roles_in_pages_of_five_to_fifty() {
    let (sandbox, _) = sandbox().await;
    let all = [
        "admin@cool.cats",
        "rescue@dogs.test",
        "tom@cool.cats",
        "tom+audit@cool.cats",
        "kit@cool.cats",
    ];
    assert_eq!(emails(&sandbox, "").await, all);
    assert_eq!(emails(&sandbox, "?status=pending").await, ["kit@cool.cats"]);
    assert_eq!(emails(&sandbox, "?per_page=5&page=2").await, [""; 0]);
    let request = format!("GET /accounts/{}/members", sandbox.account());
    let list = ask(&sandbox, Access::Full, &request, None).await.result();
    assert_eq!(list[1]["roles"][0]["name"], "Super Administrator - All Privileges");
    assert_eq!(list[2]["roles"][0]["name"], "Administrator");
    assert!(list[4]["user"]["first_name"].is_null());
    for (access, query, refusal) in [
        (Access::Full, "?per_page=4", (400, 1006)),
        (Access::Full, "?per_page=51", (400, 1006)),
        (Access::ConnectorOnly, "", (403, 10000)),
        (Access::AccessOnly, "", (403, 10000)),
    ] {
        let reply = ask(&sandbox, access, &format!("{request}{query}"), None).await;
        assert_eq!(reply.refusal(), refusal, "{access:?} {query}");
    }
}

#[tokio::test]
async fn members_can_be_set_and_removed() {
    let (sandbox, _) = sandbox().await;
    sandbox.remove_member("rescue@dogs.test").unwrap();
    sandbox.set_member("kit@cool.cats", Role::SuperAdministrator, Membership::Accepted).unwrap();
    sandbox.set_member("new@cool.cats", Role::ReadOnly, Membership::Rejected).unwrap();
    assert_eq!(emails(&sandbox, "?status=pending").await, [""; 0]);
    assert_eq!(emails(&sandbox, "?status=rejected").await, ["new@cool.cats"]);
    assert_eq!(emails(&sandbox, "").await.len(), 5);
}
