"""The whole way with everything against it: messages lost, doubled and out of order, a table that refuses, a function that is killed in
the middle, answers of Dintero that never come, messages that were given up. In the end everything is as it is on one machine, where
nothing went wrong."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import traces
from e2e import ACCOUNT, HELD, MERCHANTS, ROOT, STACK, World, fail, stage, wait

# The function's time, so that whoever was killed has its report for a moment only.
FUNCTION_SECONDS = 7
# Messages come again this soon.
AGAIN_SECONDS = 2
REPORTS = sorted(file for file in (ROOT / "crates/cli/demo").iterdir() if file.suffix in (".xml", ".csv"))
NOWHERE = "elsewhere/report.csv"


class Disturbed(World):
    def collecting(self):
        # Off, as it is for whoever names no collector.
        return traces.Nobody()

    def start(self, command, log, environment=None):
        if "sandbox" in command:
            # The answer to the first posting is lost behind its effect, and a token is refused first.
            command = [*command, "--fault", "events=lost-after-apply", "--fault", "token=server-error:503"]
        super().start(command, log, environment)

    def hasten(self):
        """What takes minutes on AWS takes seconds here."""
        for function in ("parse-report", "reconcile-settlements"):
            attributes = {"VisibilityTimeout": str(AGAIN_SECONDS)}
            self.sqs.set_queue_attributes(QueueUrl=self.queue(function), Attributes=attributes)
        self.client("lambda").update_function_configuration(FunctionName=f"{STACK}-parse-report", Timeout=FUNCTION_SECONDS)

    def notifications(self, configuration=None):
        """Takes the bucket's notifications away, and gives them; or puts them back."""
        bucket = f"{self.prefix}-landing"
        if configuration is None:
            configuration = self.s3.get_bucket_notification_configuration(Bucket=bucket)
            configuration.pop("ResponseMetadata")
            self.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        else:
            self.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
        return configuration

    def put(self, file):
        key = f"{ACCOUNT}/{'swedbankpay' if 'swedbankpay' in file.name else 'vipps'}/{file.name}"
        put = self.s3.put_object(Bucket=f"{self.prefix}-landing", Key=key, Body=file.read_bytes())
        return key, put["VersionId"]

    def tell(self, key, version):
        """What S3 would have told."""
        entity = {"bucket": {"name": f"{self.prefix}-landing"}, "object": {"key": key, "versionId": version, "size": 0}}
        event = {"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": entity}
        self.sqs.send_message(QueueUrl=self.queue("parse-report"), MessageBody=json.dumps({"Records": [event]}))

    def sweep(self):
        """Calls the function as its schedule does; gives how many uploads and reports it took up."""
        payload = (ROOT / "events/sweep.json").read_bytes()
        answer = self.client("lambda").invoke(FunctionName=f"{STACK}-sweep", Payload=payload)
        if "FunctionError" in answer:
            fail(f"the sweep failed: {answer['Payload'].read()}")
        told = [line for line in self.lines() if line.get("fn") == "sweep" and "TakenUp" in line]
        return told[-1] if told else fail("the sweep told no numbers")

    def parsers(self):
        """Processes of the function that parses."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={STACK}-parse-report".encode()
        found = []
        for process in Path("/proc").iterdir():
            try:
                variables = process.name.isdigit() and (process / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if variables and name in variables and f"TMPDIR={self.folder}".encode() in variables:
                found.append(int(process.name))
        return found

    def role(self):
        """The first policy of the role of the function that parses: role, name, document."""
        iam = self.client("iam")
        function = self.client("lambda").get_function_configuration(FunctionName=f"{STACK}-parse-report")
        role = function["Role"].split("/")[-1]
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return role, name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    def redrive(self, function):
        """Hands everything that was given up out once more; gives how many messages that were."""
        failed, count = self.queue(f"{function}-failed"), 0
        while messages := self.sqs.receive_message(QueueUrl=failed, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.send_message(QueueUrl=self.queue(function), MessageBody=message["Body"])
                self.sqs.delete_message(QueueUrl=failed, ReceiptHandle=message["ReceiptHandle"])
                count += 1
        return count

    def hash(self):
        variables = {
            "AVSTEM_OBJECTS_URL": f"s3://{self.prefix}", "AVSTEM_STATE_URL": f"dynamodb://{self.outputs['Table']}",
            "AVSTEM_QUEUE_URL": self.queue("reconcile-settlements"),
        }
        return state_hash(self.arguments.binaries, {**self.environment, **variables})


def state_hash(binaries, environment, *arguments):
    command = [f"{binaries}/state-hash", ACCOUNT, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def reports(numbers):
    return [file for file in REPORTS if file.name[0] in numbers]


def doubled(world, patience):
    """Notifications three times each and out of order; the first file alone is first, since it settles what the second does too."""
    first, *others = reports("12")
    uploads = [world.put(first)]
    world.tell(*uploads[0])
    wait("one report is parsed", lambda: world.state_of(*uploads[0]), patience)
    uploads += [world.put(file) for file in others]
    told = 3 * uploads
    random.Random(20).shuffle(told)
    for upload in told:
        world.tell(*upload)
    wait(f"{len(uploads)} reports are parsed, told thrice and out of order", lambda: all(world.state_of(*upload) for upload in uploads), patience)


def lost(world, patience):
    """Nobody is told of two uploads, one of them where none may lie: the sweep is."""
    [report] = reports("3")
    key, version = world.put(report)
    world.s3.put_object(Bucket=f"{world.prefix}-landing", Key=NOWHERE, Body=b"x")
    time.sleep(1)
    if world.state_of(key, version):
        fail("an upload that nobody was told of was read")
    found = world.sweep()
    if found["TakenUp"] < 2 or found["OldestUnprocessedObjectAge"] < 1:
        fail(f"the sweep took up {found}")
    wait("an upload whose notification was lost is found by the sweep and parsed", lambda: world.state_of(key, version), patience)
    refused = lambda: world.item(f"REFUSED#{sha256(NOWHERE.encode()).hexdigest()}", "MESSAGE")
    wait("an upload where none may lie is found and recorded", refused, patience)


def refusing(world, patience):
    """The table takes no write of the function for a while: messages are given up, and handed out again by a person."""
    iam, (role, name, policy) = world.client("iam"), world.role()
    without = {**policy, "Statement": [statement for statement in policy["Statement"] if "dynamodb:UpdateItem" not in statement["Action"]]}
    assert len(without["Statement"]) == len(policy["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(without))
    uploads = [world.put(file) for file in reports("45")]
    for upload in uploads:
        world.tell(*upload)
    given_up = lambda: world.waiting()["parse-report-failed"] >= len(uploads)
    wait("messages that meet a table which takes nothing are given up and kept", given_up, patience)
    if any(world.state_of(*upload) for upload in uploads):
        fail("a report was recorded in a table that takes nothing")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    count = world.redrive("parse-report")
    wait(f"{count} messages that were given up are carried out", lambda: all(world.state_of(*upload) for upload in uploads), patience)
    if "QUARANTINED" not in [world.state_of(*upload)["state"] for upload in uploads]:
        fail(f"{HELD} is not held")


def killed(world, patience):
    """The function is killed while it reads; its message comes again while its report is not free, and is given up; the sweep finds it."""
    [file] = reports("6")
    report = sha256(file.read_bytes()).hexdigest()
    key, version = world.put(file)
    state = lambda: (world.item(f"REPORT#{report}", ACCOUNT) or {}).get("state")
    # Those that have read before read again; finding them takes longer than reading.
    processes = world.parsers()
    every = lambda number: [os.kill(process, number) for process in processes]
    every(signal.SIGSTOP)
    world.tell(key, version)
    end = time.monotonic() + patience
    # A few steps at a time, so that nothing goes by unseen however slow the looking is.
    while state() is None and time.monotonic() < end:
        every(signal.SIGCONT)
        time.sleep(0.005)
        every(signal.SIGSTOP)
    every(signal.SIGKILL)
    if state() != "CLAIMED":
        fail(f"the function was not caught while it read: {state()}")
    stage("the function that parses is killed while it reads a report")
    given_up = lambda: world.waiting()["parse-report-failed"] > 0
    wait("its message is given up while its report is not free", given_up, patience)
    if world.state_of(key, version):
        fail("a report was read that its worker had left")
    wait("its report is free, and the sweep takes it up", lambda: world.sweep()["TakenUp"] > 0, patience)
    wait("the report is parsed by another", lambda: world.state_of(key, version), patience)


def ended(world, patience):
    """Nothing is in any queue, nothing is left to be taken up, and everything has come about once."""
    world.redrive("parse-report")
    world.redrive("reconcile-settlements")
    empty = lambda: not any(world.waiting().values())
    # What waits for a lost answer or a lease comes again minutes later.
    wait("all queues are empty", empty, 3 * patience)
    wait("the sweep finds nothing that is left", lambda: empty() and is_quiet(world), patience)


def is_quiet(world):
    swept = world.sweep()
    if swept["TakenUp"] == 0 and swept["OldestCommittedUnpostedAge"] == 0:
        return True
    # What has to wait, such as a posting that was not answered, waits longer than a moment.
    time.sleep(2)
    return False


def once_more(world, before, patience):
    """Every message that ever was, and what was given up, once more: nothing changes."""
    versions = world.s3.list_object_versions(Bucket=f"{world.prefix}-landing", Prefix=f"{ACCOUNT}/")["Versions"]
    for version in versions:
        world.tell(version["Key"], version["VersionId"])
        body = json.dumps({"object_key": version["Key"], "object_version": version["VersionId"]})
        world.sqs.send_message(QueueUrl=world.queue("parse-report-failed"), MessageBody=body)
    count = world.redrive("parse-report")
    ended(world, patience)
    if world.hash() != before:
        fail("a second time had an effect")
    stage(f"{len(versions)} uploads told again and {count} messages handed out again had no effect")


def on_one_machine(world):
    """The same reports on one machine, where nothing goes wrong, with a stand-in for Dintero of its own; gives the hash."""
    inbox, home = world.folder / "inbox", world.folder / "home"
    inbox.mkdir()
    for file in REPORTS:
        shutil.copy(file, inbox)
    World.start(world, [f"{world.arguments.binaries}/avstem", "sandbox", "--port", "0"], "undisturbed.log")
    printed = lambda: (world.folder / "undisturbed.log").read_text()
    wait("another stand-in for Dintero is ready", lambda: "Its transactions" in printed(), 30)
    variables = dict(line.split()[1].split("=", 1) for line in printed().splitlines() if line.startswith("  export "))
    environment = {**world.environment, **variables}
    avstem = lambda *arguments, **how: subprocess.run(
        [f"{world.arguments.binaries}/avstem", *arguments, "--home", str(home)], env=environment, stdout=subprocess.DEVNULL, **how
    )
    avstem("account", "add", ACCOUNT, check=True)
    for merchant in MERCHANTS:
        avstem("account", "add-merchant", *merchant.split("/"), check=True)
    avstem("account", "set", "--post", "on", check=True)
    # One report is held, which is told by another status than 0.
    if avstem("run", "--inbox", str(inbox)).returncode != 2:
        fail("the reports did not go through on one machine")
    return state_hash(world.arguments.binaries, environment, "--home", str(home))


def run(arguments):
    with Disturbed.standing(arguments) as world:
        world.hasten()
        world.notifications()
        for disturbance in (doubled, lost, refusing, killed, ended):
            disturbance(world, arguments.patience)
        cloud, machine = world.hash(), on_one_machine(world)
        print(f"             on AWS          {cloud}\n             on one machine  {machine}")
        if cloud != machine:
            fail("the disturbed run came to something else than one machine")
        stage("everything is as it is on one machine, where nothing went wrong")
        once_more(world, cloud, arguments.patience)
