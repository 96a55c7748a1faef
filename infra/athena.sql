-- The lake of one account in Athena. Fill in {{database}} and {{lake}}, as in s3://bucket/v1/P12345678.
-- Made of the schemas in crates/tables/src/schema; a test holds the two together. Months are projected: neither a
-- crawler nor a repair is needed. Sum only rows where is_current, as the views of duckdb.sql do.

CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`settlement_line` (
  `account_id` string,
  `provider` string,
  `merchant_number` string,
  `settlement_id` string,
  `report_id` string,
  `report_version` int,
  `is_current` boolean,
  `line_no` bigint,
  `kind` string,
  `capture_minor` bigint,
  `refund_minor` bigint,
  `fee_minor` bigint,
  `fee_vat_minor` bigint,
  `chargeback_minor` bigint,
  `reserve_minor` bigint,
  `adjustment_minor` bigint,
  `net_minor` bigint,
  `net` decimal(18,2),
  `currency` string,
  `exponent` tinyint,
  `provider_transaction_id` string,
  `original_reference` string,
  `order_reference` string,
  `correlation_id` string,
  `provider_method` string,
  `provider_kind` string,
  `captured_at` timestamp,
  `captured_on` date,
  `provider_date` date,
  `payout_on` date,
  `store_id` string,
  `payout_destination_id` string,
  `schema_version` int,
  `line_part` int
)
PARTITIONED BY (`payout_month` string)
STORED AS PARQUET
LOCATION '{{lake}}/settlement_line/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.payout_month.type' = 'date',
  'projection.payout_month.format' = 'yyyy-MM',
  'projection.payout_month.range' = '2020-01,NOW+1YEARS',
  'projection.payout_month.interval' = '1',
  'projection.payout_month.interval.unit' = 'MONTHS',
  'storage.location.template' = '{{lake}}/settlement_line/payout_month=${payout_month}'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`match` (
  `account_id` string,
  `provider` string,
  `merchant_number` string,
  `settlement_id` string,
  `currency` string,
  `report_id` string,
  `line_no` bigint,
  `state` string,
  `reason` string,
  `transaction_id` string,
  `transaction_event` int,
  `payment_product` string,
  `payment_product_type` string,
  `merchant_reference` string,
  `merchant_reference_2` string,
  `event_state` string,
  `payout_on` date,
  `schema_version` int,
  `line_part` int
)
PARTITIONED BY (`payout_month` string)
STORED AS PARQUET
LOCATION '{{lake}}/match/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.payout_month.type' = 'date',
  'projection.payout_month.format' = 'yyyy-MM',
  'projection.payout_month.range' = '2020-01,NOW+1YEARS',
  'projection.payout_month.interval' = '1',
  'projection.payout_month.interval.unit' = 'MONTHS',
  'storage.location.template' = '{{lake}}/match/payout_month=${payout_month}'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`settlement` (
  `account_id` string,
  `provider` string,
  `merchant_number` string,
  `settlement_id` string,
  `currency` string,
  `exponent` tinyint,
  `report_id` string,
  `report_version` int,
  `is_current` boolean,
  `format` string,
  `proof` string,
  `fees` string,
  `period_from` date,
  `period_to` date,
  `payout_on` date,
  `lines` bigint,
  `capture_minor` bigint,
  `refund_minor` bigint,
  `fee_minor` bigint,
  `fee_vat_minor` bigint,
  `chargeback_minor` bigint,
  `reserve_minor` bigint,
  `adjustment_minor` bigint,
  `net_minor` bigint,
  `opening_minor` bigint,
  `closing_minor` bigint,
  `payout_minor` bigint,
  `payout` decimal(18,2),
  `bank_account` string,
  `bank_reference` string,
  `settlement_hash` string,
  `schema_version` int
)
PARTITIONED BY (`payout_month` string)
STORED AS PARQUET
LOCATION '{{lake}}/settlement/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.payout_month.type' = 'date',
  'projection.payout_month.format' = 'yyyy-MM',
  'projection.payout_month.range' = '2020-01,NOW+1YEARS',
  'projection.payout_month.interval' = '1',
  'projection.payout_month.interval.unit' = 'MONTHS',
  'storage.location.template' = '{{lake}}/settlement/payout_month=${payout_month}'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`fee_summary` (
  `account_id` string,
  `accounting_month` string,
  `provider` string,
  `merchant_number` string,
  `payment_product` string,
  `currency` string,
  `exponent` tinyint,
  `fees` string,
  `lines` bigint,
  `capture_minor` bigint,
  `refund_minor` bigint,
  `fee_minor` bigint,
  `fee_vat_minor` bigint,
  `schema_version` int
)
PARTITIONED BY (`payout_month` string)
STORED AS PARQUET
LOCATION '{{lake}}/fee_summary/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.payout_month.type' = 'date',
  'projection.payout_month.format' = 'yyyy-MM',
  'projection.payout_month.range' = '2020-01,NOW+1YEARS',
  'projection.payout_month.interval' = '1',
  'projection.payout_month.interval.unit' = 'MONTHS',
  'storage.location.template' = '{{lake}}/fee_summary/payout_month=${payout_month}'
);

CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`month_bridge` (
  `account_id` string,
  `accounting_month` string,
  `provider` string,
  `payment_product` string,
  `currency` string,
  `exponent` tinyint,
  `opening_minor` bigint,
  `happened_capture_minor` bigint,
  `happened_refund_minor` bigint,
  `happened_fee_minor` bigint,
  `happened_fee_vat_minor` bigint,
  `happened_chargeback_minor` bigint,
  `happened_reserve_minor` bigint,
  `happened_adjustment_minor` bigint,
  `paid_capture_minor` bigint,
  `paid_refund_minor` bigint,
  `paid_fee_minor` bigint,
  `paid_fee_vat_minor` bigint,
  `paid_chargeback_minor` bigint,
  `paid_reserve_minor` bigint,
  `paid_adjustment_minor` bigint,
  `carried_minor` bigint,
  `paid_out_minor` bigint,
  `closing_minor` bigint,
  `invoiced_fee_minor` bigint,
  `invoiced_fee_vat_minor` bigint,
  `schema_version` int
)
PARTITIONED BY (`payout_month` string)
STORED AS PARQUET
LOCATION '{{lake}}/month_bridge/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.payout_month.type' = 'date',
  'projection.payout_month.format' = 'yyyy-MM',
  'projection.payout_month.range' = '2020-01,NOW+1YEARS',
  'projection.payout_month.interval' = '1',
  'projection.payout_month.interval.unit' = 'MONTHS',
  'storage.location.template' = '{{lake}}/month_bridge/payout_month=${payout_month}'
);
