"""A collector on this machine that takes OTLP over HTTP, and what the spans of a whole run have to say."""

import http.server
import re
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# Fields of lines, and what a call may say of itself.
ALLOWED = {
    "account", "attempt", "duration_ms", "kind", "mail_id", "outcome", "provider", "report_id", "step",
    "http.request.method", "http.response.status_code", "http.route", "rpc.method", "rpc.service", "rpc.system", "server.address",
}
# What the demo's reports have of people, and what opens doors; none of it may be in what a collector is sent.
SECRET = rb"Bearer|Basic |client_secret|eyJ[A-Za-z]|@example\.no|\.csv|\.xml|landing/|X-Amz|AWS4-HMAC"


class Collector:
    """Takes spans and keeps them."""

    def __init__(self):
        self.bodies = bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_known = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
                if is_known:
                    bodies.append(body)
                self.send_response(200 if is_known else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        """Every span, with the function that it is of and its attributes by name."""
        found = []
        for body in list(self.bodies):
            for part in ExportTraceServiceRequest.FromString(body).resource_spans:
                (function,) = (pair.value.string_value for pair in part.resource.attributes if pair.key == "service.name")
                found += [Span(function, span) for scope in part.scope_spans for span in scope.spans]
        return found

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Nobody:
    """No collector."""

    url = ""

    def stop(self):
        pass


class Span:
    def __init__(self, function, span):
        self.function, self.name, self.kind = function, span.name, span.kind
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        value = lambda value: getattr(value, value.WhichOneof("value"))
        self.attributes = {pair.key: value(pair.value) for pair in span.attributes}
        assert not span.events and not span.links and not span.trace_state and not span.status.message, span


def held(world, fail, stage):
    """One trace holds all that became of a report, what it says is listed, and lines name the same traces."""
    collector = world.collector
    spans = collector.spans()
    ids = {span.id: span for span in spans}
    def way(span):
        """The steps that led to a span, the first of them first."""
        before = ids.get(span.parent)
        return [*(way(before) if before else []), span]

    # Whoever could not hand spans over in time went on without them, and said so.
    is_told = any(line.get("msg") == "spans could not be handed over" for line in world.lines())
    lost = [span for span in spans if span.parent and span.parent not in ids]
    if lost and not is_told:
        fail(f"{len(lost)} spans have a parent that never came: {lost[0].function} {lost[0].name}")
    for span in spans:
        if unknown := set(span.attributes) - ALLOWED:
            fail(f"a span of {span.function} says {unknown}")
    if found := re.search(SECRET, b"".join(collector.bodies)):
        fail(f"a collector was sent {found.group()}")
    ways = [way(span) for span in spans if span.name == "mail"]
    longest = max((way for way in ways if way[0].name == "parse"), key=len, default=[])
    names, functions = [span.name for span in longest], [span.function for span in longest]
    if names[:2] != ["parse", "reconcile"]:
        fail(f"no trace goes from parse to reconcile to mail; mails have {sorted({tuple(span.name for span in way) for way in ways})}")
    if functions[:2] != ["parse-report", "reconcile-settlements"] or functions[-1] != "email-summary":
        fail(f"the longest way is one of {functions}")
    if len({span.trace for span in longest}) != 1 or longest[0].parent:
        fail("the longest way is in several traces, or begins nowhere")
    said = [longest[0].attributes.get(name) for name in ("account", "outcome")]
    if said != [world.account_id, "ACCEPTED"] or longest[1].attributes.get("report_id") != longest[0].attributes.get("report_id"):
        fail(f"the spans of the longest way say {[span.attributes for span in longest]}")
    calls = {span.attributes.get("rpc.service", span.attributes.get("http.request.method")) for span in spans if span.kind == 3}
    if not {"S3", "DynamoDB", "SQS", "SES", "POST"} <= calls:
        fail(f"calls are to {calls} alone")
    named = {line["trace_id"] for line in world.lines() if "trace_id" in line}
    if not (is_told or named <= {span.trace for span in spans}):
        fail("a line names a trace that no span is of")
    traces = {span.trace for span in spans}
    stage(f"traces: {len(spans)} spans in {len(traces)} traces, longest way {' → '.join(names)}")
