"""Removes what a stack of tests left when it was deleted: `remove_kept.py STACK`. Refuses while the stack stands, and what is locked for good."""

import sys

import boto3
from botocore.exceptions import ClientError

PARTS = ["landing", "archive", "lake", "reports", "mirror", "mail", "log"]


def asked(call, missing):
    """What a call answers; nothing when there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            return None
        raise


stack = sys.argv[1]
session = boto3.session.Session()
account = session.client("sts").get_caller_identity()["Account"]
s3, formation, secrets = (session.client(name) for name in ("s3", "cloudformation", "secretsmanager"))
found = asked(lambda: formation.describe_stacks(StackName=stack), {"ValidationError"})
if found and found["Stacks"][0]["StackStatus"] != "DELETE_COMPLETE":
    sys.exit(f"the stack {stack} stands; delete it first: sam delete --stack-name {stack}")
names = [f"{stack}-{account}-{part}" for part in PARTS]
buckets = [name for name in names if asked(lambda: s3.head_bucket(Bucket=name), {"404", "NoSuchBucket"})]
for bucket in buckets:
    if not bucket.endswith("-archive"):
        continue
    lock = asked(lambda: s3.get_object_lock_configuration(Bucket=bucket), {"ObjectLockConfigurationNotFoundError"})
    mode = lock and lock["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {}).get("Mode")
    if mode != "GOVERNANCE":
        sys.exit(f"{bucket} is locked in mode {mode}, expected GOVERNANCE: it is of no test, and nothing is removed")
for bucket in buckets:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
            bypass = {"BypassGovernanceRetention": True} if bucket.endswith("-archive") else {}
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"], **bypass)
    s3.delete_bucket(Bucket=bucket)
    print(f"{bucket} is removed")
if asked(lambda: secrets.delete_secret(SecretId=f"{stack}/mail", ForceDeleteWithoutRecovery=True), {"ResourceNotFoundException"}):
    print(f"{stack}/mail is removed")
print("the table, which has no name of its own, and the key stay; delete them by hand once nobody wants them")
