"""Size, start and memory of the functions, behind a small Runtime API on this machine. Called by bench.sh.

Start is from the process to its first question for an event, the median of some rounds. Memory is the peak of each function as one
large report goes the whole way through all of them; the emulator's share of the time is in it.
"""

import argparse
import http.server
import io
import json
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGION, PREFIX, ACCOUNT, MERCHANT = "eu-north-1", "bench", "T00000001", "123456"


class Runtime:
    """Lambda's side of a function: gives events, takes answers."""

    def __init__(self):
        self.asked, self.events, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        runtime = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                runtime.asked.put(time.perf_counter())
                body = runtime.events.get()
                if body is None:
                    return
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "bench")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 900) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:000000000000:function:bench")
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-bench")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                runtime.answers.put((self.path, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A function is ended while it waits for an event, as Lambda ends it.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self, endpoint, queue_url):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AVSTEM_"))}
        return {
            **own,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_LOG_GROUP_NAME": "bench", "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint,
            "AVSTEM_OBJECTS_URL": f"s3://{PREFIX}", "AVSTEM_STATE_URL": f"dynamodb://{PREFIX}",
            "AVSTEM_QUEUE_URL": queue_url, "AVSTEM_PARSE_QUEUE_URL": queue_url,
            "AVSTEM_SECRETS_URL": f"secretsmanager://{PREFIX}/dintero", "AVSTEM_ENVIRONMENT": "test", "AVSTEM_ACCOUNT_CLAIM": "account_id",
        }

    def stop(self):
        self.events.put(None)
        self.server.shutdown()


def status(process, name):
    """A number of kB that the kernel has of a process."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def ended(process):
    process.kill()
    return process.wait()


def start(binary, environment):
    """Milliseconds from the process to its first question, and its memory then; nothing where it does not come to it."""
    runtime = Runtime()
    try:
        with tempfile.TemporaryFile() as said:
            begun = time.perf_counter()
            process = subprocess.Popen([binary], env=environment(runtime), stdout=said, stderr=said)
            try:
                asked = runtime.asked.get(timeout=30)
                return (asked - begun) * 1000, status(process, "VmHWM") / 1024
            except queue.Empty:
                said.seek(0)
                return said.read().decode(errors="replace")[-300:]
            finally:
                ended(process)
    finally:
        runtime.stop()


def upload(client, report):
    """Puts a report where it lands, as one of an account that owns its merchant number; the event that tells of it."""
    key = f"{ACCOUNT}/vipps/{report.name}"
    s3, table = client("s3"), client("dynamodb")
    owner = {"pk": {"S": f"MERCHANT#vipps#{MERCHANT}"}, "sk": {"S": "MERCHANT"}, "revision": {"N": "1"}, "schema": {"N": "1"}}
    table.put_item(TableName=PREFIX, Item={**owner, "body": {"S": json.dumps({"account": ACCOUNT})}})
    with open(report, "rb") as body:
        version = s3.put_object(Bucket=f"{PREFIX}-landing", Key=key, Body=body)["VersionId"]
    record = {"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": f"{PREFIX}-landing"}, "object": {"key": key, "versionId": version}}}
    return batch(json.dumps({"Records": [record]}))


def batch(body):
    """An event with one message."""
    return {"Records": [{"messageId": "1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}]}


def sample(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def carry_out(binary, environment, event, done):
    """Seconds and MiB that a function takes for an event; ends the run unless it answers, and one of its lines says that it is done."""
    runtime = Runtime()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([binary], env=environment(runtime), stdout=said, stderr=subprocess.STDOUT)
        try:
            runtime.asked.get(timeout=30)
            begun = time.perf_counter()
            runtime.events.put(json.dumps(event).encode())
            path, answer = runtime.answers.get(timeout=900)
            seconds, peak = time.perf_counter() - begun, status(process, "VmHWM") / 1024
            said.seek(0)
            lines = [json.loads(line) for line in said.read().decode().splitlines() if line.startswith("{")]
        finally:
            ended(process)
            runtime.stop()
    failed = path.endswith("/error") or json.loads(answer or b"null") and json.loads(answer).get("batchItemFailures")
    if failed or not any(done.items() <= line.items() for line in lines):
        sys.exit(f"{binary} did not come to its end: {path} {answer!r} {lines}")
    return seconds, peak


def on_the_way(emulator, report):
    """Takes a report the whole way: for each function the event that comes to it, and what its lines say when it is done."""
    import boto3

    yield "parse-report", upload(boto3.client, report), {"msg": "a report was parsed", "outcome": "ACCEPTED"}
    sent = boto3.client("sqs").receive_message(QueueUrl=emulator.queue, WaitTimeSeconds=10)["Messages"]
    yield "reconcile-settlements", batch(sent[0]["Body"]), {"msg": "a report was reconciled"}
    yield "email-summary", sample("email-summary-account"), {"msg": "an account was looked after"}
    asked = sample("backoffice-api")
    yield "backoffice-api", {**asked, "queryStringParameters": {}, "rawQueryString": ""}, {"outcome": "200"}
    yield "sweep", sample("sweep"), {"Sweeps": 1}


class Emulator:
    def __init__(self, folder):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        own = {"BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "MINISTACK_REGION": REGION,
               "AUTH": "true", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "TMPDIR": folder}
        access = {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                  "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
        os.environ.update(access)
        self.process = subprocess.Popen([sys.executable, "-m", "ministack"], env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while True:
            try:
                if urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=2).status == 200:
                    break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        prepared = subprocess.run([sys.executable, ROOT / "tests/emulator/prepare.py", PREFIX], capture_output=True, text=True, check=True)
        self.queue = prepared.stdout.strip()


def packed(binary):
    """Size of a binary, and of the archive that is uploaded."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(binary, "bootstrap")
    return Path(binary).stat().st_size / 1e6, whole.tell() / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    functions = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())
    places = lambda name: [arguments.folder / name / "bootstrap", arguments.folder / name]
    binaries = {name: next((place for place in places(name) if place.is_file()), None) for name in functions}
    with tempfile.TemporaryDirectory(prefix="avstem-bench-") as folder:
        emulator = Emulator(folder)
        environment = lambda runtime: runtime.environment(emulator.url, emulator.queue)
        try:
            print(f"{'function':<24}{'binary MB':>10}{'zip MB':>8}{'start ms':>10}{'MiB then':>10}")
            for name, binary in binaries.items():
                if not binary:
                    print(f"{name:<24}is not in {arguments.folder}")
                    continue
                size, archive = packed(binary)
                rounds = [start(binary, environment) for _ in range(arguments.rounds)]
                failed = [found for found in rounds if isinstance(found, str)]
                if failed:
                    print(f"{name:<24}{size:>10.1f}{archive:>8.1f}  asked for no event: {failed[0].strip()}")
                    continue
                times, memory = zip(*rounds)
                print(f"{name:<24}{size:>10.1f}{archive:>8.1f}{statistics.median(times):>10.1f}{max(memory):>10.1f}", flush=True)
            if all(binaries.values()):
                size = arguments.report.stat().st_size / 1e6
                print(f"\n{arguments.report.name} ({size:.0f} MB){'':<8}{'MiB at most':>12}{'s beside the emulator':>24}")
                # Nobody answers for Dintero here.
                alone = lambda runtime: {**environment(runtime), "AVSTEM_SECRETS_URL": ""}
                for name, event, done in on_the_way(emulator, arguments.report):
                    seconds, peak = carry_out(binaries[name], alone, event, done)
                    print(f"{name:<24}{peak:>12.0f}{seconds:>24.1f}", flush=True)
        finally:
            emulator.process.terminate()
            emulator.process.wait()


main()
