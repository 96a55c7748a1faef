-- The lake of one account in DuckDB: tables, and a star schema for BI tools. Say first where the account's lake lies:
--   SET VARIABLE lake = '.local/demo/lake/v1/T00000001';
-- Each default view has what counts; those named *_version have every version. Money is *_minor, exact; currencies are
-- never added to each other. payout_month is the month of the folder, as text: '2026-10' BETWEEN works across New Year.

CREATE OR REPLACE VIEW settlement_line_version AS
SELECT * FROM read_parquet(getvariable('lake') || '/settlement_line/*/*.parquet',
                           hive_partitioning = true, hive_types_autocast = false, union_by_name = true);

CREATE OR REPLACE VIEW settlement_line AS
SELECT * FROM settlement_line_version WHERE is_current;

CREATE OR REPLACE VIEW "match" AS
SELECT * FROM read_parquet(getvariable('lake') || '/match/*/*.parquet',
                           hive_partitioning = true, hive_types_autocast = false, union_by_name = true);

CREATE OR REPLACE VIEW settlement_version AS
SELECT * FROM read_parquet(getvariable('lake') || '/settlement/*/*.parquet',
                           hive_partitioning = true, hive_types_autocast = false, union_by_name = true);

CREATE OR REPLACE VIEW settlement AS
SELECT * FROM settlement_version WHERE is_current;

CREATE OR REPLACE VIEW fee_summary AS
SELECT * FROM read_parquet(getvariable('lake') || '/fee_summary/*/*.parquet',
                           hive_partitioning = true, hive_types_autocast = false, union_by_name = true);

CREATE OR REPLACE VIEW month_bridge AS
SELECT * FROM read_parquet(getvariable('lake') || '/month_bridge/*/*.parquet',
                           hive_partitioning = true, hive_types_autocast = false, union_by_name = true);

CREATE OR REPLACE VIEW data_dictionary AS
SELECT * FROM read_parquet(getvariable('lake') || '/export/data_dictionary.parquet');

-- One row per line that counts, with what it was paid with and whether its payout is proved.
CREATE OR REPLACE VIEW fact_settlement_line AS
SELECT line.*, settlement.proof, settlement.fees, settlement.format,
       "match".state AS match_state, "match".reason AS match_reason, "match".transaction_id, "match".payment_product,
       "match".payment_product_type, "match".merchant_reference, "match".merchant_reference_2, "match".event_state,
       coalesce(line.captured_on, line.provider_date, line.payout_on) AS happened_on
FROM settlement_line AS line
JOIN settlement USING (account_id, provider, merchant_number, settlement_id, currency, report_id)
LEFT JOIN "match" USING (account_id, provider, merchant_number, settlement_id, currency, report_id, line_no, line_part);

-- One row per settlement that counts.
CREATE OR REPLACE VIEW fact_payout AS
SELECT account_id, provider, merchant_number, settlement_id, currency, exponent, payout_on, payout_month, proof, fees, lines,
       capture_minor, refund_minor, fee_minor, fee_vat_minor, chargeback_minor, reserve_minor, adjustment_minor, net_minor,
       opening_minor, closing_minor, payout_minor, payout, bank_account, bank_reference, format, report_id, report_version
FROM settlement;

CREATE OR REPLACE VIEW dim_payment_method AS
SELECT DISTINCT provider, payment_product, payment_product_type FROM fact_settlement_line;

CREATE OR REPLACE VIEW dim_store AS
SELECT DISTINCT account_id, provider, merchant_number, store_id FROM settlement_line;

CREATE OR REPLACE VIEW dim_date AS
SELECT day AS calendar_day, strftime(day, '%Y-%m') AS calendar_month, year(day) AS calendar_year,
       quarter(day) AS calendar_quarter, isodow(day) AS weekday
FROM (SELECT unnest(generate_series(min(happened_on)::TIMESTAMP, max(greatest(happened_on, payout_on))::TIMESTAMP,
                                    INTERVAL 1 DAY))::DATE AS day
      FROM fact_settlement_line);

-- Payouts and fees by calendar month of the payout: what is proved, with balances that settlements carried in and on.
CREATE OR REPLACE VIEW v_month_summary AS
WITH part AS (
  SELECT account_id, payout_month, provider, payment_product, currency, 1 AS lines, capture_minor, refund_minor,
         if(fees = 'invoiced', 0, fee_minor) AS fee_minor, if(fees = 'invoiced', 0, fee_vat_minor) AS fee_vat_minor,
         chargeback_minor, reserve_minor, adjustment_minor, 0 AS carried_minor,
         if(fees = 'invoiced', fee_minor, 0) AS invoiced_fee_minor,
         if(fees = 'invoiced', fee_vat_minor, 0) AS invoiced_fee_vat_minor
  FROM fact_settlement_line WHERE proof = 'exact'
  UNION ALL
  SELECT account_id, payout_month, provider, NULL, currency, 0, 0, 0, 0, 0, 0, 0, 0, opening_minor - closing_minor, 0, 0
  FROM fact_payout WHERE proof = 'exact' AND (opening_minor <> 0 OR closing_minor <> 0)
)
SELECT account_id, payout_month AS calendar_month, provider, payment_product, currency, sum(lines)::BIGINT AS lines,
       sum(capture_minor)::BIGINT AS capture_minor, sum(refund_minor)::BIGINT AS refund_minor,
       sum(fee_minor)::BIGINT AS fee_minor, sum(fee_vat_minor)::BIGINT AS fee_vat_minor,
       sum(chargeback_minor)::BIGINT AS chargeback_minor, sum(reserve_minor)::BIGINT AS reserve_minor,
       sum(adjustment_minor)::BIGINT AS adjustment_minor, sum(carried_minor)::BIGINT AS carried_minor,
       sum(capture_minor + refund_minor - fee_minor - fee_vat_minor + chargeback_minor + reserve_minor
           + adjustment_minor + carried_minor)::BIGINT AS paid_out_minor,
       sum(invoiced_fee_minor)::BIGINT AS invoiced_fee_minor, sum(invoiced_fee_vat_minor)::BIGINT AS invoiced_fee_vat_minor
FROM part GROUP BY ALL;
