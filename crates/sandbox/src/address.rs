//! Where a request goes, read from its address.

use dintero::Method;

use super::fault::RequestKind;
use super::method_of;

/// A host that the sandbox answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    Api,
    Checkout,
    /// The sandbox served on this machine is both at once.
    Loopback,
}

/// An address in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The host as it was written.
    pub(super) host_name: String,
    /// Names and values, decoded, in their order.
    pub(super) query: Vec<(String, String)>,
    host: Host,
    path: Vec<String>,
}

impl Address {
    /// Reads an address; `None` when it is none of a host that is known.
    pub(super) fn read(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, rest) = rest.split_at_checked(rest.find('/')?)?;
        let name = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, _)) => name,
            None => authority.split(':').next()?,
        };
        let host = match (scheme, authority, name) {
            ("https", "api.dintero.com", _) => Host::Api,
            ("https", "checkout.dintero.com", _) => Host::Checkout,
            ("http", _, "127.0.0.1" | "localhost" | "::1") => Host::Loopback,
            _ => return None,
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        let path = path.split('/').skip(1).map(decoded);
        Some(Address {
            host_name: name.to_owned(),
            host,
            query: query.collect::<Option<_>>()?,
            path: path.collect::<Option<_>>()?,
        })
    }

    /// What a request to here asks for; `None` when there is nothing here.
    pub(super) fn kind(&self, method: Method) -> Option<RequestKind> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let kind = match (path.as_slice(), self.host) {
            (["v1", "accounts", _, "auth", "token"], _) => RequestKind::Token,
            (["v1", "accounts", _, "settlements"], Host::Api | Host::Loopback) => RequestKind::Settlements,
            (["v1", "transactions"], Host::Checkout | Host::Loopback) => RequestKind::Transactions,
            (["v1", "transactions", "events", "settlements"], Host::Checkout | Host::Loopback) => {
                RequestKind::SettlementEvents
            }
            _ => return None,
        };
        (method_of(kind) == method).then_some(kind)
    }

    /// The account that it names.
    pub(super) fn account(&self) -> Option<&str> {
        let at = self.path.iter().position(|part| part == "accounts")?;
        self.path.get(at.checked_add(1)?).map(String::as_str)
    }
}

/// The text that was encoded; a plus is a space, as everywhere in queries.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_by_their_parts() {
        let address = Address::read("https://checkout.dintero.com/v1/transactions?id=a%26b&id=c+d&limit").unwrap();
        let query: Vec<(&str, &str)> = address.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(query, [("id", "a&b"), ("id", "c d"), ("limit", "")]);
        assert_eq!(address.kind(Method::Get), Some(RequestKind::Transactions));
        assert_eq!(address.kind(Method::Post), None);
        let address = Address::read("http://[::1]:8080/v1/accounts/T00000001/auth/token").unwrap();
        assert_eq!((address.account(), address.host_name.as_str()), (Some("T00000001"), "::1"));
        assert_eq!(address.kind(Method::Post), Some(RequestKind::Token));
    }

    #[test]
    fn a_host_answers_for_its_own_alone() {
        let elsewhere = [
            "https://api.test.dintero.com/v1/transactions",
            "http://api.dintero.com/v1/transactions",
            "https://api.dintero.com:444/v1/transactions",
            "http://127.0.0.1@example.com/v1/transactions",
            "http://127.0.0.1.example.com/v1/transactions",
            "https://checkout.dintero.com/v1/transactions?id=%zz",
            "https://checkout.dintero.com",
            "v1/transactions",
        ];
        for url in elsewhere {
            assert_eq!(Address::read(url), None, "{url}");
        }
        let nothing_there = [
            ("https://api.dintero.com/v1/transactions", Method::Get),
            ("https://checkout.dintero.com/v1/accounts/T00000001/settlements", Method::Get),
            ("https://checkout.dintero.com/v2/transactions", Method::Get),
            ("https://checkout.dintero.com/v1/transactions/", Method::Get),
            ("https://checkout.dintero.com/v1/transactions/events/settlements", Method::Get),
        ];
        for (url, method) in nothing_there {
            assert_eq!(Address::read(url).unwrap().kind(method), None, "{url}");
        }
    }
}
