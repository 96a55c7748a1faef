//! ISO 4217 currency codes and their decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Every active ISO 4217 code with two decimals.
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
     CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
     IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN \
     MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD \
     SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// An active currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Norwegian krone. Provider files that serve Norway alone name no currency and are in this one.
    pub const NOK: Currency = Currency(*b"NOK");
    /// Icelandic króna, which ISO 4217 lists without decimals and some providers write with two.
    #[cfg(test)]
    pub(crate) const ISK: Currency = Currency(*b"ISK");

    /// The three letters, as in `NOK`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// The decimals that ISO 4217 lists for it.
    pub fn exponent(self) -> u8 {
        iso_exponent(self.as_str()).unwrap_or(2)
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
        let known = iso_exponent(code).is_some();
        match code.as_bytes() {
            [a, b, c] if known => Ok(Currency([*a, *b, *c])),
            _ => Err(UnknownCurrency),
        }
    }
}

/// The text is not an active ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Not an active ISO 4217 currency code")]
pub struct UnknownCurrency;

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;
    fn try_from(code: String) -> Result<Self, UnknownCurrency> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn iso_exponent(code: &str) -> Option<u8> {
    let listed = |list: &str| list.split_ascii_whitespace().any(|known| known == code);
    if listed(TWO_DECIMALS) {
        Some(2)
    } else if listed(NO_DECIMALS) {
        Some(0)
    } else if listed(THREE_DECIMALS) {
        Some(3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, decimals) in [("NOK", 2), ("SEK", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("TND", 3)] {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), decimals, "{code}");
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for code in ["XXX", "nok", "NO", "NOKK", "", "N K", "HRK"] {
            assert!(code.parse::<Currency>().is_err(), "{code:?}");
        }
    }

    #[test]
    fn a_currency_reads_what_it_prints() {
        let sek: Currency = "SEK".parse().unwrap();
        assert_eq!(
            (sek.as_str(), sek.to_string(), format!("{sek:?}"), String::from(sek)),
            ("SEK", "SEK".into(), "SEK".into(), "SEK".into())
        );
        assert_eq!(serde_json::from_str::<Currency>("\"SEK\"").unwrap(), sek);
        assert!(serde_json::from_str::<Currency>("\"sek\"").is_err());
        assert_eq!(Currency::NOK, "NOK".parse().unwrap());
    }
}
