//! URLs that lead to this server itself.

use std::future::Future;
use std::pin::Pin;

use domain::OwnerId;

/// A boxed answer of [`ResolveOwn::resolve`].
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Own, String>> + Send + 'a>>;

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// To another host: it is fetched.
    Elsewhere,
    /// To a file that this server keeps and the owner may use: its path in the artifact store.
    Kept(String),
    /// To this server, but not to a file of the owner: expired, deleted, or somebody else's.
    Missing,
}

/// Knows this server's own file URLs. They are resolved in the store, never over HTTP: a server
/// behind a private address could not fetch from itself, and must not have to.
pub trait ResolveOwn: Send + Sync {
    /// Where `url` leads for `owner`. An error says why the store could not answer.
    fn resolve<'a>(&'a self, owner: &'a OwnerId, url: &'a str) -> Resolving<'a>;
}

/// For programs without a server: every URL leads elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingOwn;

impl ResolveOwn for NothingOwn {
    fn resolve<'a>(&'a self, _owner: &'a OwnerId, _url: &'a str) -> Resolving<'a> {
        Box::pin(std::future::ready(Ok(Own::Elsewhere)))
    }
}
