"""What the contracts of the ports need: buckets of every part, a table, a queue, a secret, a sender. Prints the queue's address."""

import sys

import boto3

prefix = sys.argv[1]
s3 = boto3.client("s3")
for part in ["landing", "archive", "lake", "reports", "mirror", "mail"]:
    bucket = f"{prefix}-{part}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
s3.create_bucket(Bucket=f"{prefix}-plain-landing", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
boto3.client("dynamodb").create_table(
    TableName=prefix,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
)
boto3.client("secretsmanager").create_secret(
    Name=f"{prefix}/dintero/T00000001", SecretString='{"client_id": "first", "client_secret": "hush"}'
)
ses = boto3.client("ses")
ses.verify_domain_identity(Domain="example.no")
ses.create_configuration_set(ConfigurationSet={"Name": prefix})
print(boto3.client("sqs").create_queue(QueueName=prefix)["QueueUrl"])
