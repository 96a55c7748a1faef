"""Callers of the back office: an issuer of tokens on this machine, what its tokens open, and what every other token does not."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import ssl
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE, SCOPE, CLAIM = "avstem", "read:settlements", "account_id"


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number64(number):
    return url64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Issuer:
    """Issues tokens, and shows its key where API Gateway looks for it."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self.key.public_key().public_numbers()
        keys = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "first", "n": number64(public.n), "e": number64(public.e)}]}
        pages = {"/jwks": keys}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = pages.get(self.path)
                body = json.dumps(page).encode()
                self.send_response(200 if page else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self.server.server_port}"
        pages["/.well-known/openid-configuration"] = {"issuer": self.name, "jwks_uri": f"{self.name}/jwks"}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, account, key=None, head=None, **claims):
        """A token of an account; `None` takes a claim away."""
        now = int(time.time())
        whole = {"iss": self.name, "aud": AUDIENCE, "iat": now - 60, "exp": now + 600, "sub": "somebody", "scope": SCOPE, CLAIM: account}
        whole = {name: value for name, value in {**whole, **claims}.items() if value is not None}
        head = {"alg": "RS256", "typ": "JWT", "kid": "first", **(head or {})}
        signed = f"{url64(json.dumps(head).encode())}.{url64(json.dumps(whole).encode())}"
        if head["alg"] == "none":
            signature = b""
        elif head["alg"] == "HS256":
            # With the public key for a secret, as careless libraries take it.
            pem = self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            signature = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
        else:
            signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{url64(signature)}"

    def strangers(self, account):
        """What is no token of this issuer for this audience, and what API Gateway answers to it."""
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        now = int(time.time())
        return {
            "no token": (None, 401),
            "no JWT": ("x.y.z", 401),
            "expired": (self.token(account, exp=now - 1), 401),
            "not yet": (self.token(account, nbf=now + 600), 401),
            "another issuer": (self.token(account, iss="https://issuer.example"), 401),
            "another audience": (self.token(account, aud="another"), 401),
            "another key": (self.token(account, key=other), 401),
            "an unknown key": (self.token(account, key=other, head={"kid": "second"}), 401),
            "alg none": (self.token(account, head={"alg": "none"}), 401),
            "alg HS256": (self.token(account, head={"alg": "HS256"}), 401),
            "another scope": (self.token(account, scope="read:something"), 403),
            "no account": (self.token(None), 403),
            "an account that is none": (self.token("T00000001/../T00000002"), 403),
        }

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Api:
    """The deployed API, asked as a caller asks it."""

    def __init__(self, world):
        gateway = world.client("apigatewayv2")
        found = [api for api in gateway.get_apis()["Items"] if world.outputs["BackofficeUrl"].split("//")[1].startswith(api["ApiId"])]
        (self.id,) = (api["ApiId"] for api in found)
        self.routes = [route["RouteKey"].split() for route in gateway.get_routes(ApiId=self.id)["Items"]]
        self.port, self.context = world.port, ssl.create_default_context(cafile=world.certificate)

    def ask(self, path, token, method="GET", **query):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)
        # By path instead of by name of host: the emulator answers /health itself.
        path = f"/_aws/execute-api/{self.id}/$default{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, f"{path}?{urllib.parse.urlencode(query)}" if query else path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(body or b"null")


def held_to_their_accounts(world, issuer, account, expected):
    """Every route is closed to strangers, and a caller sees the account of its token and no other."""
    api = Api(world)
    assert len(api.routes) >= 2, api.routes
    for method, path in api.routes:
        for who, (token, status) in issuer.strangers(account).items():
            got, _, body = api.ask(path, token, method)
            assert got == status and "settlements" not in body, (path, who, got, body)
    own, other = issuer.token(account), issuer.token("T00000002")
    status, headers, body = api.ask("/health", own)
    assert (status, body["status"]) == (200, "ok"), (status, body)
    for header in ["cache-control", "content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options"]:
        assert headers.get(header), (header, headers)
    assert "access-control-allow-origin" not in headers, headers
    status, _, body = api.ask("/api/v1/settlements", own)
    assert (status, body["account_id"], body["cursor"]) == (200, account, None), (status, body)
    names = lambda page: [f"{entry['merchant_number']}/{entry['settlement_id']}" for entry in page["settlements"]]
    assert sorted(names(body)) == sorted(expected), names(body)
    held = [(entry["name"], entry["verdict"], entry["kind"]) for entry in body["held"]]
    # Page by page it is the same.
    paged, cursor = [], {}
    for _ in range(20):
        _, _, page = api.ask("/api/v1/settlements", own, limit="2", **cursor)
        paged += names(page) + page["held"]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert paged == names(body) + body["held"], paged
    # Another account sees nothing, not even with the cursor or the name of this one.
    for query in [{}, cursor]:
        status, _, body = api.ask("/api/v1/settlements", other, **query)
        assert (status, body["account_id"], body["settlements"], body["held"]) == (200, "T00000002", [], []), (status, body)
    for query in [{"account": account}, {"account_id": account}, {"limit": "0"}, {"from": "yesterday"}, {"cursor": "x"}]:
        status, _, body = api.ask("/api/v1/settlements", other, **query)
        assert (status, list(body)) == (400, ["error"]), (query, status, body)
    assert api.ask("/api/v1/nothing", own)[0] == 404 and api.ask("/api/v1/settlements", own, "POST")[0] == 404
    return len(api.routes), held
