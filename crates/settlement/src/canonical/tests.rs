use proptest::prelude::*;

use super::*;

fn row<'a>() -> CanonicalRow<'a> {
    CanonicalRow {
        provider_transaction_id: "5001145476",
        kind: LineKind::Sale,
        order_reference: "356",
        currency: Currency::NOK,
        terms: Terms { capture_minor: 1_500, fee_minor: 26, ..Terms::default() },
    }
}

fn digest(row: CanonicalRow<'_>) -> RowDigest {
    let mut digests = Vec::new();
    RowDigester::default().digest([row].into_iter(), |digest| digests.push(digest));
    digests[0]
}

#[test]
fn a_digest_is_the_first_half_of_the_sha_256_of_the_canonical_bytes() {
    let references: Vec<String> = (0..300).map(|length| "7".repeat(length * length / 9)).collect();
    let rows = || references.iter().map(|reference| CanonicalRow { order_reference: reference, ..row() });
    let (mut digester, mut digests) = (RowDigester::default(), Vec::new());
    digester.digest(rows(), |digest| digests.push(digest));
    assert_eq!(digests.len(), references.len());
    let spelt_bytes: usize = references.iter().map(String::len).sum();
    assert!(digester.bytes.capacity() < 4 * SPELT_BYTES && 4 * SPELT_BYTES < spelt_bytes);
    for (row, digest) in rows().zip(digests) {
        let mut spelt = Vec::new();
        row.spell(&mut spelt);
        let content = digest.content.map(u64::to_be_bytes).concat();
        assert_eq!(content, Sha256::digest(&spelt)[..16], "{} bytes", spelt.len());
        assert_eq!(digest.transaction, row.transaction());
    }
}

#[test]
fn every_part_of_a_row_changes_its_digest() {
    let base = digest(row());
    let terms = Terms { capture_minor: 1_500, fee_vat_minor: 26, ..Terms::default() };
    let others = [
        CanonicalRow { provider_transaction_id: "5001145477", ..row() },
        CanonicalRow { order_reference: "357", ..row() },
        CanonicalRow { kind: LineKind::Adjustment, ..row() },
        CanonicalRow { currency: "SEK".parse().unwrap(), ..row() },
        CanonicalRow { terms, ..row() },
        // The same letters cut at another place.
        CanonicalRow { provider_transaction_id: "500114547", order_reference: "6356", ..row() },
    ];
    for other in others {
        assert_ne!(digest(other).content, base.content, "{other:?}");
    }
}

#[test]
fn the_hash_of_a_transaction_does_not_depend_on_its_money() {
    let other = CanonicalRow { terms: Terms { capture_minor: 1, ..Terms::default() }, ..row() };
    assert_eq!(digest(row()).transaction, digest(other).transaction);
    let nameless = CanonicalRow { provider_transaction_id: "", ..row() };
    assert_eq!(digest(nameless).transaction, 0);
}

#[test]
fn the_number_of_digests_in_one_call_changes_nothing() {
    let digest = |number: u64| RowDigest { transaction: number, content: [number << 32, !number] };
    let digests: Vec<RowDigest> = (0..200).map(digest).collect();
    let hash = |at_once: usize| {
        let mut hasher = SettlementHasher::new(Currency::NOK, Some(1));
        digests.chunks(at_once).for_each(|digests| hasher.rows(digests));
        hasher.finish()
    };
    let mut whole = Sha256::new_with_prefix(b"avstem settlement 1\nNOK");
    whole.update([1, 0, 0, 0, 0, 0, 0, 0, 1]);
    for RowDigest { transaction, content } in &digests {
        [*transaction, content[0], content[1]].iter().for_each(|value| whole.update(value.to_be_bytes()));
    }
    let whole = SettlementHash(whole.finalize().into());
    for at_once in [1, 63, 64, 65, 200] {
        assert_eq!(hash(at_once), whole, "{at_once}");
    }
}

#[test]
fn currency_and_payout_belong_to_the_settlement_hash() {
    let hash = |currency: &str, payout| SettlementHasher::new(currency.parse().unwrap(), payout).finish();
    let all = [hash("NOK", None), hash("NOK", Some(0)), hash("NOK", Some(1)), hash("SEK", None)];
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            assert_ne!(a, b);
        }
    }
    let text = all[0].to_string();
    assert_eq!(SettlementHash::try_from(text), Ok(all[0]));
}

/// The canonical bytes of a row, written by another way than the code's.
fn written(row: &CanonicalRow<'_>) -> Vec<u8> {
    fn number(mut value: u128) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 128 {
            bytes.push(u8::try_from(value % 128 + 128).unwrap());
            value /= 128;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    }
    let Terms {
        capture_minor,
        refund_minor,
        fee_minor,
        fee_vat_minor,
        chargeback_minor,
        reserve_minor,
        adjustment_minor,
    } = row.terms;
    let terms =
        [capture_minor, refund_minor, fee_minor, fee_vat_minor, chargeback_minor, reserve_minor, adjustment_minor];
    let mut bytes = Vec::new();
    for text in [row.provider_transaction_id, row.order_reference] {
        bytes.extend(number(text.len() as u128));
        bytes.extend(text.bytes());
    }
    bytes.extend(row.currency.to_string().bytes());
    let place = LineKind::ALL.iter().position(|(kind, _)| *kind == row.kind).unwrap();
    bytes.push(u8::try_from(place).unwrap());
    for (place, minor) in terms.into_iter().enumerate().filter(|(_, minor)| *minor != 0) {
        bytes.push(u8::try_from(place).unwrap());
        let magnitude = u128::from(minor.unsigned_abs()) * 2;
        bytes.extend(number(if minor < 0 { magnitude - 1 } else { magnitude }));
    }
    bytes
}

const LONG_ID: &str = text(&[b'x'; 200]);
const LONG_REFERENCE: &str = text(&[b'y'; 300]);

const fn text(bytes: &[u8]) -> &str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!(),
    }
}

fn rows() -> Vec<CanonicalRow<'static>> {
    let currency = |code: &str| code.parse().unwrap();
    vec![
        row(),
        CanonicalRow {
            provider_transaction_id: "",
            kind: LineKind::Adjustment,
            order_reference: "",
            currency: currency("SEK"),
            terms: Terms {
                chargeback_minor: -1,
                reserve_minor: i64::MIN,
                adjustment_minor: i64::MAX,
                ..Terms::default()
            },
        },
        CanonicalRow {
            provider_transaction_id: "R-1",
            kind: LineKind::Refund,
            order_reference: "ordre-æ",
            currency: currency("JPY"),
            terms: Terms { refund_minor: -300, fee_minor: -5, fee_vat_minor: -1, ..Terms::default() },
        },
        CanonicalRow {
            provider_transaction_id: LONG_ID,
            kind: LineKind::FeeVat,
            order_reference: LONG_REFERENCE,
            currency: currency("KWD"),
            terms: Terms { fee_vat_minor: 64, ..Terms::default() },
        },
    ]
}

/// Hashes of settlements are stored for ever: these values come from another program and must not change.
#[test]
fn stored_hashes_are_made_of_these_bytes() {
    let expected = [
        (0x73ac_8808_ac29_6de6, "60eda39aac4d9aedbcfa621c667bb141"),
        (0, "7cb10c61edb5a31ec02049039856edc3"),
        (0x90e4_272a_ad4a_1a2e, "ce8f7ac7ab9971c6ac620fb532852030"),
        (0x3631_590d_06f3_caf2, "3c9f2bac8b569bf12adda3e66bc53b5a"),
    ];
    let mut digests = Vec::new();
    for (row, (transaction, content)) in rows().into_iter().zip(expected) {
        let digest = digest(row);
        assert_eq!(digest.transaction, transaction, "{row:?}");
        let [upper, lower] = digest.content;
        assert_eq!(format!("{upper:016x}{lower:016x}"), content, "{row:?}");
        let plain: [u8; 32] = Sha256::digest(written(&row)).into();
        assert_eq!(digest.content.map(u64::to_be_bytes).as_flattened(), &plain[..16], "{row:?}");
        digests.push(digest);
    }
    let hash = |currency: &str, payout_minor, digests: &[RowDigest]| {
        let mut hasher = SettlementHasher::new(currency.parse().unwrap(), payout_minor);
        hasher.rows(digests);
        hasher.finish().to_string()
    };
    let first = digests[0];
    digests.sort_unstable();
    assert_eq!(hash("NOK", Some(34_387), &digests), "bff7a053815476675bbf061b1c15c54780678c5317f5158fb0db45ecfcc540e2");
    assert_eq!(hash("NOK", None, &[]), "a79b4073102666ae5ffad24a25b37db37c79be0c55c724a454ff7fa326f09112");
    assert_eq!(hash("SEK", Some(-1), &[first]), "c43f16c0739828e69454367851b29f1de2d6ba1b078f1932d08a6fb2c3edea0c");
}

#[test]
fn numbers_have_seven_bits_in_a_byte_the_lowest_first() {
    for (value, bytes) in [
        (0, &[0][..]),
        (1, &[1]),
        (0x7f, &[0x7f]),
        (0x80, &[0x80, 1]),
        (0x3fff, &[0xff, 0x7f]),
        (0x4000, &[0x80, 0x80, 1]),
        (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
    ] {
        let mut found = vec![7];
        push_varint(&mut found, value);
        assert_eq!(found, [&[7], bytes].concat(), "{value}");
    }
}

#[test]
fn a_settlement_hash_reads_what_it_prints() {
    let hash = SettlementHasher::new(Currency::NOK, None).finish();
    let text = hash.to_string();
    assert_eq!((text.len(), format!("{hash:?}"), String::from(hash)), (64, text.clone(), text.clone()));
    assert_eq!(serde_json::to_string(&hash).unwrap(), format!("{text:?}"));
    assert_eq!(serde_json::from_str::<SettlementHash>(&format!("{text:?}")).unwrap(), hash);
    let bad = SettlementHash::try_from("abc".to_owned()).unwrap_err();
    assert_eq!(bad, "Not a settlement hash: abc");
}

proptest! {
    #[test]
    fn every_digest_is_that_of_its_bytes(
        id in "[0-9a-z]{0,20}",
        order in "\\PC{0,90}",
        kind in 0..LineKind::ALL.len(),
        minor in prop::array::uniform7(prop_oneof![Just(0), -200_i64..200, any::<i64>()]),
        count in 1_usize..400,
    ) {
        let [capture_minor, refund_minor, fee_minor, fee_vat_minor, chargeback_minor, reserve_minor, adjustment_minor] = minor;
        let terms = Terms {
            capture_minor,
            refund_minor,
            fee_minor,
            fee_vat_minor,
            chargeback_minor,
            reserve_minor,
            adjustment_minor,
        };
        let (kind, _) = LineKind::ALL[kind];
        let row = CanonicalRow { provider_transaction_id: &id, kind, order_reference: &order, currency: Currency::NOK, terms };
        let plain: [u8; 32] = Sha256::digest(written(&row)).into();
        let mut digests = Vec::new();
        RowDigester::default().digest(std::iter::repeat_n(row, count), |digest| digests.push(digest));
        prop_assert_eq!(digests.len(), count);
        for digest in digests {
            prop_assert_eq!(digest.content.map(u64::to_be_bytes).concat(), &plain[..16]);
        }
    }
}
