//! Path templates, shared by the router and by whatever builds URLs.
//!
//! A model id has slashes and is not percent-encoded, so [`MODEL`] ends in a catch-all, and the
//! router has to let [`CATEGORIES`] win over it.

/// The models; `GET`.
pub const MODELS: &str = "/v1/models";
/// The categories; `GET`.
pub const CATEGORIES: &str = "/v1/models/categories";
/// One model (`GET`) and submit (`POST`).
pub const MODEL: &str = "/v1/models/{*model_id}";
/// The owner's requests; `GET`.
pub const REQUESTS: &str = "/v1/requests";
/// One whole record; `GET`, `DELETE`.
pub const REQUEST: &str = "/v1/requests/{request_id}";
/// `GET`.
pub const STATUS: &str = "/v1/requests/{request_id}/status";
/// `GET`.
pub const RESULT: &str = "/v1/requests/{request_id}/result";
/// `POST`.
pub const CANCEL: &str = "/v1/requests/{request_id}/cancel";
/// What happens to one request, as it happens; `GET`.
pub const EVENTS: &str = "/v1/requests/{request_id}/events";
/// The link that shows one request's result; `POST`, `DELETE`.
pub const SHARE: &str = "/v1/requests/{request_id}/share";
/// The page that a link leads to.
pub const SHARE_PAGE: &str = "/share/{token}";
/// What a link shows, without a key; `GET`.
pub const SHARED: &str = "/v1/shared/{token}";
/// A file of what a link shows, without a key; `GET`, `HEAD`.
pub const SHARED_FILE: &str = "/v1/shared/{token}/{name}";
/// What was used; `GET`.
pub const USAGE: &str = "/v1/usage";
/// Buys a key with a code; `POST`, without a key.
pub const SIGN_IN: &str = "/v1/sign-in";
/// The owner's keys; `GET`, `POST`.
pub const KEYS: &str = "/v1/keys";
/// One key; `PATCH`, `DELETE`.
pub const KEY: &str = "/v1/keys/{key_id}";
/// The secrets that sign webhooks; `GET`.
pub const WEBHOOK_SECRET: &str = "/v1/webhooks/secret";
/// Makes a new one; `POST`.
pub const WEBHOOK_ROTATE: &str = "/v1/webhooks/secret/rotate";
/// What was sent to webhooks; `GET`.
pub const DELIVERIES: &str = "/v1/webhooks/deliveries";
/// Sends it again; `POST`.
pub const REPLAY: &str = "/v1/webhooks/deliveries/{delivery_id}/replay";
/// The installation at a glance; `GET`.
pub const SYSTEM: &str = "/v1/system";
/// Metrics for Prometheus; `GET`.
pub const METRICS: &str = "/metrics";
/// Upload; `POST`.
pub const FILES: &str = "/v1/files";
/// Outputs and uploads, without a key; `GET`, `HEAD`.
pub const FILE: &str = "/files/{token}/{name}";
/// The balance where the vendor's account API has it; `GET`.
pub const BALANCE_V2: &str = "/prod/v2/balance";
/// The balance beside the other calls; `GET`.
pub const BALANCE: &str = "/v1/balance";
/// Who the key belongs to; `GET`.
pub const WHOAMI: &str = "/api/auth/me";
/// Whether the process lives; `GET`, without a key.
pub const HEALTHZ: &str = "/healthz";
/// Whether it can take work; `GET`, without a key.
pub const READYZ: &str = "/readyz";
/// What the API is, for programs; `GET`, without a key.
pub const OPENAPI: &str = "/openapi.json";
/// A file of the pages; `GET`, without a key.
pub const ASSET: &str = "/assets/{folder}/{*path}";

/// The path of one model.
pub fn model(model_id: &str) -> String {
    format!("{MODELS}/{model_id}")
}

/// The path of one request's record.
pub fn request(request_id: &str) -> String {
    [REQUESTS, "/", request_id].concat()
}

/// The path of one request's status.
pub fn status(request_id: &str) -> String {
    [REQUESTS, "/", request_id, "/status"].concat()
}

/// The path of one request's result.
pub fn result(request_id: &str) -> String {
    [REQUESTS, "/", request_id, "/result"].concat()
}

/// The path that cancels one request.
pub fn cancel(request_id: &str) -> String {
    [REQUESTS, "/", request_id, "/cancel"].concat()
}

/// The path of one kept file; `name` is for people, `token` decides.
pub fn file(token: &str, name: &str) -> String {
    format!("/files/{token}/{name}")
}

/// The path of the link that shows one request's result.
pub fn share(request_id: &str) -> String {
    [REQUESTS, "/", request_id, "/share"].concat()
}

/// The path of the page that a link leads to.
pub fn share_page(token: &str) -> String {
    format!("/share/{token}")
}

/// The path of what a link shows.
pub fn shared(token: &str) -> String {
    format!("/v1/shared/{token}")
}

/// The path of a file of what a link shows.
pub fn shared_file(token: &str, name: &str) -> String {
    format!("/v1/shared/{token}/{name}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn builders_agree_with_the_templates() {
        for (template, built) in [
            (super::STATUS, super::status("{request_id}")),
            (super::RESULT, super::result("{request_id}")),
            (super::CANCEL, super::cancel("{request_id}")),
            (super::REQUEST, super::request("{request_id}")),
            (super::MODEL, super::model("{*model_id}")),
            (super::FILE, super::file("{token}", "{name}")),
            (super::SHARE, super::share("{request_id}")),
            (super::SHARE_PAGE, super::share_page("{token}")),
            (super::SHARED, super::shared("{token}")),
            (super::SHARED_FILE, super::shared_file("{token}", "{name}")),
        ] {
            assert_eq!(template, built);
        }
    }
}
