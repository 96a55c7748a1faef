"""Deploys infra/template.yaml into an emulator of AWS, uploads the demo's reports and watches them go the whole way."""

import argparse
import base64
import contextlib
import json
import os
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

import callers
import mails
import traces

REGION = "eu-north-1"
STACK = "avstem"
ACCOUNT = "T00000001"
MERCHANTS = ["vipps/123456", "vipps/654321", "vipps/222333", "swedbankpay/R4321"]
FUNCTIONS = ["parse-report", "reconcile-settlements", "email-summary", "backoffice-api", "sweep"]
# Those that take messages from a queue of their own have one for what failed beside it.
QUEUED = ["parse-report", "reconcile-settlements", "email-summary"]
QUEUES = [*(f"{function}{end}" for function in QUEUED for end in ("", "-failed")), "sweep-failed"]
ROOT = Path(__file__).resolve().parents[2]
# Exact settlements of the demo's reports; the list of Swedbank Pay waits for its notice.
SETTLEMENTS = ["123456/2000461", "123456/2000462", "123456/2000463", "222333/2000090", "654321/2000031"]
LISTED = [*SETTLEMENTS, "R4321/R4321-0012"]
HELD = "5-vipps-redigert.csv"
BEGUN = time.monotonic()


def stage(words):
    print(f"{time.monotonic() - BEGUN:7.2f} s  {words}", flush=True)


def fail(words):
    sys.exit(f"{time.monotonic() - BEGUN:7.2f} s  FAILED: {words}")


def wait(words, found, patience):
    """Waits until `found` gives something true, and gives it."""
    end = time.monotonic() + patience
    while True:
        got = found()
        if got:
            stage(words)
            return got
        if time.monotonic() > end:
            fail(f"{words}: not within {patience} s")
        time.sleep(0.2)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def known_to_the_emulator(template):
    """The template without what the emulator has no answer to: alarms on what is usual, and the DNS records of a domain. Numbers that
    are parameters stand in it as their defaults, since the emulator takes them for texts."""
    template = re.sub(
        r"(?<=MaximumConcurrency: )!Ref (\w+)",
        lambda named: re.search(rf"^  {named[1]}:\n(?:    .*\n)*?    Default: (\d+)", template, flags=re.M)[1],
        template,
    )
    for what in (r"UnmatchedLinesAlarm:\n", r"MailRecord\d:\n"):
        template = re.sub(rf"^  {what}(?:    .*\n)+\n?", "", template, flags=re.M)
    return template


class World:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.processes = arguments, folder, []
        self.issuer, self.collector = callers.Issuer(), self.collecting()
        self.account_id = ACCOUNT
        self.port = free_port()
        # Over TLS, since the buckets take nothing else.
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate = folder / "ministack-tls/server.crt"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AVSTEM_"))},
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CA_BUNDLE": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
        }
        os.environ.update(self.environment)

    def collecting(self):
        """Where the spans of functions go."""
        return traces.Collector()

    @classmethod
    @contextlib.contextmanager
    def standing(cls, arguments):
        """A stack of its own with an account, for as long as the block takes; its lines stay where the block fails."""
        folder = Path(tempfile.mkdtemp(prefix="avstem-e2e-"))
        world = cls(arguments, folder)
        try:
            world.emulator()
            world.sandbox()
            world.deploy()
            world.account()
            yield world
        except BaseException:
            world.keep_lines()
            raise
        finally:
            world.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, command, log, environment=None):
        with open(self.folder / log, "wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment or self.environment)
        self.processes.append(process)

    def emulator(self):
        self.inbox = mails.Inbox(self, free_port())
        own = {
            "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION, "AUTH": "true", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
            "TMPDIR": str(self.folder), "USE_SSL": "1", "SMTP_HOST": self.inbox.address,
        }
        self.start([sys.executable, "-m", "ministack"], "emulator.log", {**self.environment, **own})

        def ready():
            try:
                context = ssl.create_default_context(cafile=self.certificate)
                return urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=2, context=context).status == 200
            except OSError:
                return False

        wait("the emulator is ready", ready, 60)
        import boto3

        self.client = boto3.client
        self.s3, self.sqs, self.table = boto3.client("s3"), boto3.client("sqs"), boto3.client("dynamodb")

    def sandbox(self):
        """The stand-in for Dintero, and what it printed: its address and credentials."""
        self.start([f"{self.arguments.binaries}/avstem", "sandbox", "--port", "0"], "sandbox.log")
        printed = lambda: (self.folder / "sandbox.log").read_text()
        wait("the stand-in for Dintero is ready", lambda: "Its transactions" in printed(), 30)
        told = dict(re.findall(r"export (\w+)=(\S+)", printed()))
        self.dintero = told["AVSTEM_DINTERO_API_URL"]
        self.credentials = (told["AVSTEM_DINTERO_CLIENT_ID"], told["AVSTEM_DINTERO_CLIENT_SECRET"])
        self.transactions = re.findall(rf"^  ({ACCOUNT}\.\S+)", printed(), re.M)

    def deploy(self):
        self.s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        template = (ROOT / "infra/template.yaml").read_text()
        for function in FUNCTIONS:
            bootstrap, archive = self.folder / "bootstrap", self.folder / f"{function}.zip"
            shutil.copy(f"{self.arguments.binaries}/{function}", bootstrap)
            subprocess.run(["strip", str(bootstrap)], check=True)
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
                packed.write(bootstrap, "bootstrap")
            self.s3.upload_file(str(archive), "artifacts", f"{function}.zip")
            template = template.replace(f"CodeUri: ../target/lambda/{function}/", f"CodeUri: s3://artifacts/{function}.zip")
        # What a mail is sent as, from and to the emulator does not tell whoever asks for the right to send it.
        template, count = re.subn(r"(Action: \[ses:SendRawEmail\]\n +Resource:).*?(?=\n +- Sid:)", r'\1 "*"', template, flags=re.S)
        assert count == 2, "the template does not grant the sending of mails once, within one boundary"
        template, count = re.subn(r"^  Dashboard:\n(?:    .*\n)+\n?", "", template, flags=re.M)
        assert count == 1, "the template has no dashboard"
        template = known_to_the_emulator(template)
        stage("the emulator knows no dashboards: the template's is left out")
        if self.arguments.without:
            action = re.escape(self.arguments.without)
            template, count = re.subn(rf"(Action: \[[^\]]*?)({action})\b", r"\1none:None", template)
            assert count, f"the template grants {self.arguments.without} to nobody"
        parameters = {
            "Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
            "Environment": "test", "Posting": "on", "DinteroApiUrl": self.dintero, "DinteroCheckoutUrl": self.dintero,
            "TokenIssuer": self.issuer.name, "TokenAudience": callers.AUDIENCE, "TokenScope": callers.SCOPE, "AccountClaim": callers.CLAIM,
            "TracesUrl": self.collector.url, "MailDomain": mails.DOMAIN, "MailRecipients": f"*@{mails.DOMAIN}",
        }
        # As sam does it: a request of its own takes no more than 51 200 characters.
        self.s3.put_object(Bucket="artifacts", Key="template.yaml", Body=template.encode())
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=STACK, TemplateURL=f"{self.url}/artifacts/template.yaml", Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        )
        status = lambda: formation.describe_stacks(StackName=STACK)["Stacks"][0]
        while (stack := status())["StackStatus"] == "CREATE_IN_PROGRESS":
            time.sleep(0.2)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
            fail("\n".join(str(event) for event in events if "FAILED" in event["ResourceStatus"]) or str(stack))
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.prefix = self.outputs["LandingBucket"].removesuffix("-landing")
        count = len(formation.describe_stack_resources(StackName=STACK)["StackResources"])
        stage(f"the template is deployed: {count} resources")

    def account(self):
        client = dict(zip(("client_id", "client_secret"), self.credentials))
        name = f"{self.outputs['Secrets']}/{ACCOUNT}"
        self.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(client))
        self.avstem_with(["account", "add", ACCOUNT])
        for merchant in MERCHANTS:
            self.avstem("account", "add-merchant", *merchant.split("/"))
        self.avstem("account", "set", "--post", "on")
        stage("the account is set up")

    def avstem(self, *command, ended=0):
        """What the command line says of the account of the deployed stack."""
        return self.avstem_with([*command, "--account", ACCOUNT], ended)

    def avstem_with(self, command, ended=0):
        """What the command line says of the deployed stack, as a person at their own machine asks it."""
        home = f"s3://{self.prefix}?table={self.outputs['Table']}"
        client = dict(zip(("AVSTEM_DINTERO_CLIENT_ID", "AVSTEM_DINTERO_CLIENT_SECRET"), self.credentials))
        hosts = {"AVSTEM_DINTERO_API_URL": self.dintero, "AVSTEM_DINTERO_CHECKOUT_URL": self.dintero}
        environment = {**self.environment, **client, **hosts, "AVSTEM_DINTERO_ACCOUNT": ACCOUNT}
        command = [f"{self.arguments.binaries}/avstem", *command, "--home", home]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        if run.returncode != ended:
            fail(f"{' '.join(command)} ended with {run.returncode}: {run.stdout}{run.stderr}")
        return run.stdout

    def resource(self, name):
        """What a resource of the template is called in the cloud."""
        found = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=name)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def queue(self, name):
        return self.sqs.get_queue_url(QueueName=f"{STACK}-{name}")["QueueUrl"]

    def upload(self):
        """Uploads the demo's reports; gives the version of each."""
        versions = {}
        for file in sorted((ROOT / "crates/cli/demo").iterdir()):
            if file.suffix in (".xml", ".csv"):
                provider = "swedbankpay" if "swedbankpay" in file.name else "vipps"
                key = f"{ACCOUNT}/{provider}/{file.name}"
                put = self.s3.put_object(Bucket=f"{self.prefix}-landing", Key=key, Body=file.read_bytes())
                versions[key] = put["VersionId"]
        return versions

    def item(self, partition, sort):
        key = {"pk": {"S": partition}, "sk": {"S": sort}}
        found = self.table.get_item(TableName=self.outputs["Table"], Key=key, ConsistentRead=True).get("Item")
        return found and json.loads(found["body"]["S"])

    def state_of(self, key, version):
        """What became of an upload, in a word; nothing while it is read."""
        item = self.item(f"OBJECT#landing/{key}#{version}", "OBJECT")
        report = item and item["report"] and self.item(f"REPORT#{item['report']}", ACCOUNT)
        return report and report["state"] != "CLAIMED" and report

    def keys(self, part):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=f"{self.prefix}-{part}")
        return sorted(found["Key"] for page in pages for found in page.get("Contents", []))

    def ask(self, path, body=None, authorization=None):
        data = body and json.dumps(body).encode()
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        request = urllib.request.Request(self.dintero + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def events(self):
        """All settlement events that stand at Dintero."""
        basic = base64.b64encode(":".join(self.credentials).encode()).decode()
        audience = f"https://api.dintero.com/v1/accounts/{ACCOUNT}"
        body = {"grant_type": "client_credentials", "audience": audience}
        token = self.ask(f"/v1/accounts/{ACCOUNT}/auth/token", body, f"Basic {basic}")["access_token"]
        ids = "&".join(f"id={id}" for id in self.transactions)
        found = self.ask(f"/v1/transactions?{ids}", authorization=f"Bearer {token}")
        return [event for transaction in found for event in transaction.get("settlements", {}).get("events", [])]

    def waiting(self):
        """Messages that are in a queue, by its name."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = {}
        for name in QUEUES:
            told = self.sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=names)["Attributes"]
            found[name] = sum(int(told[attribute]) for attribute in names)
        return found

    def lines(self):
        """What the functions wrote of themselves, each line read as JSON."""
        logs, found = self.client("logs"), []
        for function in FUNCTIONS:
            group = f"/aws/lambda/{STACK}-{function}"
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                for event in page["events"]:
                    for line in event["message"].splitlines():
                        if line.strip() and not line.startswith(("START ", "END ", "REPORT ", "INIT_START ")):
                            try:
                                found.append(json.loads(line))
                            except ValueError:
                                fail(f"a line of {function} is no JSON: {line[:200]}")
        return found

    def keep_lines(self):
        """Keeps the emulator's lines and shows what functions complained of."""
        kept = Path(sys.prefix).parent / "emulator.log"
        shutil.copy(self.folder / "emulator.log", kept)
        said = [line for line in kept.read_text(errors="replace").splitlines() if '"level":"error"' in line or '"level":"warn"' in line]
        print("\n".join(said[-20:]), f"\nthe emulator's own lines are in {kept}", file=sys.stderr)

    def stop(self):
        self.issuer.stop()
        self.collector.stop()
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def walk(world, patience):
    versions = world.upload()
    stage(f"{len(versions)} reports are uploaded")
    states = lambda: {key: world.state_of(key, version) for key, version in versions.items()}
    wait("every report is parsed and has come to an end", lambda: all(states().values()), patience)
    ended = states()
    for key, report in ended.items():
        kind = f"({report['kind']})" if "kind" in report else ""
        print(f"             {report['state']}{kind}  {key}")
    held = [key for key, report in ended.items() if report["state"] == "QUARANTINED"]
    assert [Path(key).name for key in held] == [HELD], held
    committed = {report["report"] for report in ended.values() if report["state"] == "COMMITTED"}
    lake = lambda: {key.split("/")[2] for key in world.keys("lake") if key.endswith("/settlement_line.parquet")}
    wait(f"{len(committed)} reports are Parquet, and the held one is not", lambda: lake() == committed, patience)
    assert {key.split("/")[1] for key in world.keys("archive")} == committed
    assert [key for key in world.keys("reports") if "/held/" in key], "the problems of the held report are not written"
    documents = lambda: {tuple(key.split("/")[2:4]) for key in world.keys("reports") if key.endswith("dintero-report.pdf")}
    expected = {tuple(f"{name}-NOK".split("/")) for name in SETTLEMENTS}
    wait(f"{len(expected)} settlements have their Dintero reports", lambda: documents() == expected, patience)
    posted = lambda: (count := len(world.events())) and not any(world.waiting().values()) and count
    count = wait("Dintero has the settlement events, and all queues are empty", posted, patience)
    stage(f"{count} settlement events stand at Dintero")
    return count


def again(world, count, patience):
    """Everything once more, and a message that is none: no second effect, and nothing is stuck."""
    uploaded = len(world.upload())
    poison = "no message of S3"
    world.sqs.send_message(QueueUrl=world.queue("parse-report"), MessageBody=poison)
    parsed = lambda: sum(line.get("msg") == "a report was parsed" for line in world.lines())
    ended = lambda: parsed() >= 2 * uploaded and not any(world.waiting().values())
    wait("everything once more has come to an end", ended, patience)
    found = len(world.events())
    if found != count:
        fail(f"{found} settlement events stand at Dintero, expected {count}: the second time had an effect")
    from hashlib import sha256

    if not world.item(f"REFUSED#{sha256(poison.encode()).hexdigest()}", "MESSAGE"):
        fail("the message that is none is not recorded")
    stage("the second time had no effect, and a message that is none is recorded")


def asked(world, count):
    """What a person at their own machine is told of it, and can do with it."""
    told = world.avstem("explain", "2000461")
    assert "settlement T00000001/vipps/123456/2000461/NOK" in told and "COMMITTED, settlements: " in told, told
    assert "events posted: " in world.avstem("explain", "123456/2000461"), told
    told = world.avstem("audit", "--month", "2026-10")
    assert f"{count} events stand at Dintero as recorded, 0 differences" in told, told
    told = world.avstem("replay", "--since", "2026-01-01")
    assert "12 objects would be taken again" in told and "QUARANTINED(RowArithmetic)" in told, told
    told = world.avstem("match", ended=2)
    assert "matched" in told, told
    switch = lambda: world.item("SWITCH", "POSTING")
    world.avstem_with(["posting", "stop", "--by", "somebody"])
    assert switch()["stopped_by"] == "somebody", switch()
    world.avstem_with(["posting", "go", "--by", "somebody"])
    assert switch()["stopped_by"] is None, switch()
    refused = world.avstem("run", "--inbox", str(ROOT / "crates/cli/demo"), ended=1)
    assert not refused, refused
    stage("avstem explains the stack, audits it and stops its posting from another machine")


def shown(world):
    """What the back office shows of it, to callers of the account alone."""
    routes, held = callers.held_to_their_accounts(world, world.issuer, ACCOUNT, LISTED)
    assert held == [(HELD, "QUARANTINED", "RowArithmetic")], held
    stage(f"the back office is closed to strangers on {routes} routes, and shows callers their own account alone")


def told(world):
    lines = world.lines()
    parsed = [line for line in lines if line.get("msg") == "a report was parsed"]
    numbers = [line for line in lines if "_aws" in line]
    errors = [line for line in lines if line.get("level") == "error"]
    if len(parsed) < 12 or not numbers or errors:
        fail(f"found {len(parsed)} lines about parsed reports, {len(numbers)} with numbers, errors {errors}")
    stage(f"{len(lines)} lines of the functions are JSON, {len(numbers)} of them numbers, none an error")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--without", help="a permission that the template then grants to nobody")
    parser.add_argument("--patience", type=float, default=90, help="seconds that a stage may take")
    arguments = parser.parse_args()
    with World.standing(arguments) as world:
        count = walk(world, arguments.patience)
        again(world, count, arguments.patience)
        shown(world)
        asked(world, count)
        mails.october(world, wait, arguments.patience)
        told(world)
        traces.held(world, fail, stage)
    disturbed.run(arguments)
    stage("done")


if __name__ == "__main__":
    # What the other modules import from here is this very run.
    sys.modules["e2e"] = sys.modules[__name__]
    import disturbed

    main()
