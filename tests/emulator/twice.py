"""Deploys the template as infra/README.md tells it, again after a failure and a deletion, and as an upgrade: `twice.py SAM COMMIT`."""

import argparse
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from e2e import FUNCTIONS, REGION, ROOT, World, fail, known_to_the_emulator, stage

README = re.sub(r" \\\n +", " ", (ROOT / "infra/README.md").read_text())
TEST = "sam deploy --config-env test --parameter-overrides Environment=test AlarmEmail=drift@example.no"
PRODUCTION = "sam deploy --config-env production --parameter-overrides Environment=production Production=for-good AlarmEmail=drift@example.no"
MAILS = "sam deploy --config-env production --parameter-overrides MailDomain=example.no 'MailRecipients=*@example.no,*@regnskap.example'"
UPGRADE = "sam deploy --config-env production"
FOR_GOOD = "sam deploy --config-env production --parameter-overrides Production=for-good"
UPGRADE_OF_TEST = "sam deploy --config-env test --stack-name avstem"
# What a person had named before there were environments, beside what has its default.
NAMED = {"Posting": "on", "RetentionYears": "7", "LogDays": "400", "MailDomain": "example.no", "MailRecipients": "*@example.no,*@regnskap.example",
         "MailFromName": "Butikken", "TracesUrl": "https://collector.example.no", "TokenScope": "read:all"}


class Account:
    """An account of AWS, in which nothing is deployed yet, and a checkout."""

    def __init__(self, world, sam, id):
        import boto3

        self.world, self.sam, self.id = world, sam, id
        self.environment = {**world.environment, "AWS_ACCESS_KEY_ID": id, "SAM_CLI_TELEMETRY": "0"}
        session = boto3.session.Session(aws_access_key_id=id, aws_secret_access_key="test", region_name=REGION)
        self.client = lambda name: session.client(name, endpoint_url=world.url)
        self.formation, self.s3 = self.client("cloudformation"), self.client("s3")

    def checkout(self, commit=None):
        """The files that a deployment takes, with functions that do nothing."""
        self.folder = Path(tempfile.mkdtemp(dir=self.world.folder))
        for file in ("infra/template.yaml", "samconfig.toml"):
            (self.folder / file).parent.mkdir(exist_ok=True)
            shown = subprocess.run(["git", "show", f"{commit}:{file}"], cwd=ROOT, check=True, capture_output=True).stdout if commit else (ROOT / file).read_bytes()
            if file.endswith(".yaml"):
                shown = known_to_the_emulator(shown.decode()).encode()
            (self.folder / file).write_bytes(shown)
        for function in FUNCTIONS:
            program = self.folder / "target/lambda" / function / "bootstrap"
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\nexec sleep 600\n")
            program.chmod(0o755)

    def run(self, command, more=(), ends=True):
        """What a command says that is to end well, or not to."""
        words = [self.sam if word == "sam" else word for word in shlex.split(command)]
        ended = subprocess.run([*words, *more], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        told = ended.stdout + ended.stderr
        if (ended.returncode == 0) != ends:
            lines = told.splitlines()
            at = [number for number, line in enumerate(lines) if "FAILED" in line]
            why = "\n".join(line for number in at[:3] for line in lines[number : number + 8])
            fail(f"{command}: ended with {ended.returncode}\n{why}\n{told[-1000:]}")
        return told

    def deploy(self, command, more=(), ends=True):
        """As `run`, with a command that infra/README.md has and nobody at the keyboard."""
        if command not in README:
            fail(f"infra/README.md does not say {command}")
        return self.run(command, ["--no-confirm-changeset", *more], ends)

    def stack(self, name):
        found = self.formation.describe_stacks(StackName=name)["Stacks"][0]
        return found["StackStatus"], {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}, {
            one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}

    def buckets(self, stack):
        return [one["Name"] for one in self.s3.list_buckets()["Buckets"] if one["Name"].startswith(f"{stack}-{self.id}-")]

    def removed(self, stack, ends=True):
        program = [sys.executable, str(ROOT / "infra/remove_kept.py"), stack]
        ended = subprocess.run(program, env=self.environment, capture_output=True, text=True)
        if (ended.returncode == 0) != ends:
            fail(f"remove_kept.py ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return ended.stdout + ended.stderr


def twice(account):
    """A creation that fails leaves nothing, and what a deletion leaves is removed with one command."""
    account.checkout()
    taken = f"avstem-test-{account.id}-reports"
    place = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    account.s3.create_bucket(Bucket=taken, **place)
    account.deploy(TEST, ends=False)
    if account.buckets("avstem-test") != [taken]:
        fail(f"a creation that failed left {account.buckets('avstem-test')}, expected what was there before")
    account.run("sam delete --stack-name avstem-test --no-prompts --region " + REGION)
    account.s3.delete_bucket(Bucket=taken)
    stage("a creation that failed left nothing behind")
    account.deploy(TEST)
    status, parameters, outputs = account.stack("avstem-test")
    if (status, parameters["Environment"], parameters["Posting"]) != ("CREATE_COMPLETE", "test", "off"):
        fail(f"the stack of tests is {status} with {parameters}")
    for part in ("landing", "archive"):
        account.s3.put_object(Bucket=f"avstem-test-{account.id}-{part}", Key="T00000001/x/source", Body=b"x", IfNoneMatch="*")
    if "delete it first" not in account.removed("avstem-test", ends=False):
        fail("the buckets of a stack that stands would be removed")
    stage(f"tests are deployed: {len(outputs)} outputs")
    account.run("sam delete --stack-name avstem-test --no-prompts --region " + REGION)
    if len(account.buckets("avstem-test")) != 7:
        fail(f"after the deletion there are {account.buckets('avstem-test')}, expected all seven buckets")
    # The emulator's CloudFormation sets no lock, so that of the template is set by hand, and that of production before it.
    for mode, ends in (("COMPLIANCE", False), ("GOVERNANCE", True)):
        rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Days": 1}}}
        account.s3.put_object_lock_configuration(Bucket=f"avstem-test-{account.id}-archive", ObjectLockConfiguration=rule)
        told = account.removed("avstem-test", ends)
    if "mail is removed" not in told:
        fail(f"the secret of mails is left: {told}")
    if account.buckets("avstem-test"):
        fail(f"{account.buckets('avstem-test')} are not removed")
    account.deploy(TEST)
    stage("tests are deleted, and deployed once more")
    account.deploy(PRODUCTION)
    account.deploy(MAILS)
    status, parameters, outputs = account.stack("avstem")
    expected = {"Environment": "production", "AlarmEmail": "drift@example.no", "MailDomain": "example.no"}
    if not expected.items() <= parameters.items():
        fail(f"found {parameters}, expected {expected}")
    stage("production stands beside tests, and is sent mails")


def upgraded(account, commit, environment):
    """An upgrade changes no parameter that nobody named, and no record."""
    account.checkout(commit)
    named = {"Environment": environment, **NAMED}
    words = ["--parameter-overrides", *(f"{name}={value}" for name, value in named.items())]
    account.run("sam deploy --no-confirm-changeset", words)
    _, before, outputs = account.stack("avstem")
    if not named.items() <= before.items():
        fail(f"the earlier stack has {before}")
    table, record = account.client("dynamodb"), {"pk": {"S": "ACCOUNTS"}, "sk": {"S": "T00000001"}, "body": {"S": "{}"}}
    table.put_item(TableName=outputs["Table"], Item=record)
    report = {"Bucket": outputs["LandingBucket"], "Key": "T00000001/vipps/2000461.xml"}
    account.s3.put_object(**report, Body=b"<x/>")
    stage(f"the earlier template is deployed for {environment}, with {len(before)} parameters")

    account.checkout()
    if environment == "production":
        told = account.deploy(UPGRADE, ends=False)
        if "Production must be for-good" not in told:
            fail(f"an upgrade of production that is not for good is told {told[-2000:]}")
        account.deploy(FOR_GOOD)
        account.deploy(UPGRADE)
        told = account.run(UPGRADE, ["--no-confirm-changeset", "--parameter-overrides", "Environment=test"], ends=False)
        if "never becomes one of tests" not in told:
            fail(f"a production that is to become a test is told {told[-2000:]}")
    else:
        account.deploy(UPGRADE_OF_TEST)
    status, after, outputs_after = account.stack("avstem")
    changed = {name: (value, after.get(name)) for name, value in before.items() if after.get(name) != value}
    if status != "UPDATE_COMPLETE" or changed:
        fail(f"the upgrade is {status} and changed {changed}")
    lost = {name: value for name, value in outputs.items() if outputs_after.get(name) != value}
    if lost:
        fail(f"the upgrade changed the outputs {lost}")
    if table.get_item(TableName=outputs["Table"], Key={"pk": record["pk"], "sk": record["sk"]}).get("Item") != record:
        fail("the upgrade lost a record")
    if account.s3.get_object(**report)["Body"].read() != b"<x/>":
        fail("the upgrade lost an upload")
    variables = account.client("lambda").get_function_configuration(FunctionName="avstem-reconcile-settlements")["Environment"]["Variables"]
    if (variables["AVSTEM_ENVIRONMENT"], variables["AVSTEM_SECRETS_URL"]) != (environment, "secretsmanager://avstem/dintero"):
        fail(f"after the upgrade the function has {variables}")
    stage(f"the upgrade of {environment} left all {len(before)} parameters, its outputs and its records as they were")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sam", type=Path)
    parser.add_argument("earlier")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="avstem-twice-"))
    world = World(arguments, folder)
    sam = str(arguments.sam.absolute())
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        ending.callback(world.stop)
        world.emulator()
        twice(Account(world, sam, "111111111111"))
        upgraded(Account(world, sam, "222222222222"), arguments.earlier, "production")
        upgraded(Account(world, sam, "333333333333"), arguments.earlier, "test")
    stage("done")


if __name__ == "__main__":
    main()
