"""The mails of the demo's October: recipients confirm with the code that each is sent, the morning comes, each has the month once."""

import email
import email.policy
import json
import re
import sys
import time
import zipfile
from datetime import datetime, timezone
from io import BytesIO

DOMAIN = "example.no"
# What each is sent: a person paper and workbook, a program that takes documents in paper alone.
RECIPIENTS = {
    f"regnskap@{DOMAIN}": ("person", [".pdf", ".xlsx"]),
    f"bilag@{DOMAIN}": ("inbox", [".pdf"]),
}
LOOKED_AFTER = "an account was looked after"


class Inbox:
    """Where mails arrive that leave by SES."""

    def __init__(self, world, port):
        self.address, self.folder = f"127.0.0.1:{port}", world.folder / "mails"
        handler = ["-c", "aiosmtpd.handlers.Mailbox", str(self.folder)]
        world.start([sys.executable, "-m", "aiosmtpd", "-n", "-l", self.address, *handler], "inbox.log")

    def mails(self):
        files = sorted((self.folder / "new").iterdir()) if (self.folder / "new").is_dir() else []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def morning(world):
    """Lets the schedule come now instead of at six: another one of the same target, role and words."""
    scheduler = world.client("scheduler")
    known = scheduler.get_schedule(Name="avstem-email-summary")
    assert known["ScheduleExpression"] == "cron(0 6 * * ? *)", known
    scheduler.create_schedule(
        Name=f"morning-{time.monotonic_ns()}", Target=known["Target"], FlexibleTimeWindow={"Mode": "OFF"},
        ScheduleExpression=f"at({datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S})", ActionAfterCompletion="DELETE",
    )


def attachments(mail):
    """Names and bytes of what goes with a mail."""
    return {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}


def confirmed(world, wait, patience):
    """Recipients are added, and confirm with the codes that they are sent."""
    for address, (kind, _) in RECIPIENTS.items():
        world.avstem("recipient", "add", address, "--kind", kind, "--rhythm", "monthly", "--from", "2026-10-01")
    morning(world)
    mails = wait("recipients have their codes", lambda: (found := world.inbox.mails()) and len(found) == 2 and found, patience)
    for mail in mails:
        code = re.search(r"\b[0-9a-f]{32}\b", mail.get_body(("plain",)).get_content())
        assert code and not attachments(mail), f"no code, or something confidential, in {mail}"
        world.avstem("recipient", "confirm", mail["X-RcptTo"], code.group())


def october(world, wait, patience):
    confirmed(world, wait, patience)
    morning(world)
    # Later months are mailed too, once they are over.
    sent = lambda: [mail for mail in world.inbox.mails() if any("2026-10" in name for name in attachments(mail))]
    mails = wait("the month is in the inbox of each recipient", lambda: (found := sent()) and len(found) == len(RECIPIENTS) and found, patience)
    for mail in mails:
        files, (_, endings) = attachments(mail), RECIPIENTS[mail["X-RcptTo"]]
        print(f"             {mail['X-RcptTo']}  {mail['Subject']}: {', '.join(files)}")
        assert mail["To"] == mail["X-RcptTo"] and mail["From"].addresses[0].addr_spec == f"avstem@{DOMAIN}", mail
        assert sorted(name[name.rindex("."):] for name in files) == endings and all("2026-10" in name for name in files), files
        for name, content in files.items():
            is_whole = content.startswith(b"%PDF-") if name.endswith(".pdf") else zipfile.ZipFile(BytesIO(content)).testzip() is None
            assert is_whole, f"{name} is damaged"
    ids = {mail["X-Avstem-Mail-Id"] for mail in mails}
    is_sent = lambda: all((world.item(f"MAIL#{world.account_id}", id) or {}).get("state") == "SENT" for id in ids)
    assert len(ids) == len(RECIPIENTS)
    wait("each is noted as sent", is_sent, patience)
    # The next morning, and a message of the month for the account besides.
    looked = lambda: sum(line.get("msg") == LOOKED_AFTER for line in world.lines())
    before = looked()
    morning(world)
    message = json.dumps({"account_id": world.account_id, "months": True})
    world.sqs.send_message(QueueUrl=world.queue("email-summary"), MessageBody=message)
    wait("the next morning has come to its end", lambda: looked() >= before + 2 and not any(world.waiting().values()), patience)
    all_ids = [mail["X-Avstem-Mail-Id"] for mail in world.inbox.mails()]
    assert len(all_ids) == len(set(all_ids)) and len(sent()) == len(RECIPIENTS), "somebody was mailed a second time"
    bounced(world, wait, ids.pop(), patience)


def bounced(world, wait, id, patience):
    """An event, as SES publishes it of a mail that does not arrive."""
    topic = world.resource("MailTopic")
    mail = {"messageId": "0100-bounced", "destination": [f"regnskap@{DOMAIN}"], "tags": {"mail_id": [id]}}
    world.client("sns").publish(TopicArn=topic, Message=json.dumps({"eventType": "Bounce", "mail": mail, "bounce": {}}))
    traced = lambda: "bounced" in (world.item(f"TRACE#{id}", "MAIL") or {}).get("messages", {}).get("0100-bounced", {})
    wait("what SES tells of a mail is in its trace", traced, patience)
    counted = lambda: sum(line.get("Bounce", 0) for line in world.lines()) == 1
    wait("and counted", counted, patience)
