#!/usr/bin/env python3
"""Rotates one secret through Keyturn's HTTP API, waits for the end, and says how it went.

    rotate_secret.py SECRET REASON [ACTION]

SECRET   VAULT/NAME
REASON   why, for the history
ACTION   rotate (default), emergency or rollback

Made for Azure Automation, where parameters come by position; runs anywhere with Python 3.8 and nothing else installed.

Settings, from the environment or from variables of the Automation account with the same names:
KEYTURN_URL       https://APP.azurewebsites.net
KEYTURN_AUDIENCE  audience of the app: the token of the managed identity is made for it
KEYTURN_KEY       a key of the API, instead of an identity
KEYTURN_CLIENT_ID client id of a user-assigned identity
KEYTURN_TIMEOUT   longest time to wait, in seconds (600)
KEYTURN_DOCS_URL  address under which the folder docs is found, so that pages are links

Exit codes are those of the command line, docs/cli.md: 0 rotated, 1 failed, 2 used wrongly, 3 not found, 4 refused, 5 not over in time,
6 nothing was changed, 7 no answer, 130 ended by Ctrl-C. Nothing secret is printed.
"""
import ipaddress
import json
import os
import re
import signal
import sys
import time
import uuid
from urllib import error, parse, request

OK, FAILED, USAGE, NOT_FOUND, REFUSED, TIMED_OUT, NOT_NOW, UNREACHABLE = range(8)
NOT_NOW_CODES = {"not-now", "not-managed", "count-differs", "key-in-work"}
PAUSE_SECONDS = 2
# The worker may be between two instances, or the line may be: the same request is asked again this often.
TRIES = 3
# The history may be slower than the answer that named the rotation.
UNKNOWN_TRIES = 5
INTERRUPTED = 130


class Stop(Exception):
    """Ends the runbook with an exit code and a line for the log."""

    def __init__(self, exit_code, message):
        super().__init__(message)
        self.exit_code = exit_code


class NoRedirect(request.HTTPRedirectHandler):
    """A redirect would take the credential to a place that nobody named."""

    def redirect_request(self, *_):
        return None


def plain(text):
    """Without what a terminal or a log would obey: the text may be anybody's."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", str(text))


def say(text):
    print(plain(text), flush=True)


def setting(name, default=None):
    """From the environment, else from the Automation account's variables."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    try:
        import automationassets
    except ImportError:
        return default
    try:
        return str(automationassets.get_automation_variable(name)).strip() or default
    except automationassets.AutomationAssetNotFound:
        return default


def is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url():
    address = setting("KEYTURN_URL")
    if not address:
        raise Stop(USAGE, "KEYTURN_URL is not set: give the address of the function app, like https://APP.azurewebsites.net")
    parts = parse.urlsplit(address)
    if parts.username or parts.scheme not in ("https", "http") or not parts.hostname:
        raise Stop(USAGE, "KEYTURN_URL cannot be used: it is like https://APP.azurewebsites.net")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Stop(USAGE, "KEYTURN_URL would be called without TLS: it begins with https://")
    path = parts.path.rstrip("/") or "/api/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def identity_request(audience):
    """Automation and the App Service platform name their endpoint; a virtual machine has a fixed one."""
    endpoint = os.environ.get("IDENTITY_ENDPOINT", "")
    query = {"resource": audience}
    client_id = setting("KEYTURN_CLIENT_ID")
    if client_id:
        query["client_id"] = client_id
    headers = {"Metadata": "true"}
    if endpoint:
        query["api-version"] = "2019-08-01"
        headers["X-IDENTITY-HEADER"] = os.environ.get("IDENTITY_HEADER", "")
    else:
        endpoint = "http://169.254.169.254/metadata/identity/oauth2/token"
        query["api-version"] = "2018-02-01"
    return request.Request(f"{endpoint}?{parse.urlencode(query)}", headers=headers)


def identity_token(audience):
    # The identity's endpoint is on this machine: a proxy must never see what it answers.
    opener = request.build_opener(request.ProxyHandler({}), NoRedirect)
    try:
        with opener.open(identity_request(audience), timeout=30) as answer:
            token = json.load(answer)["access_token"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        kind = f"status {problem.code}" if isinstance(problem, error.HTTPError) else type(problem).__name__
        raise Stop(REFUSED, f"the managed identity gave no token for {audience} ({kind}): switch it on, and check KEYTURN_AUDIENCE") from None
    return token


def credential():
    key = setting("KEYTURN_KEY")
    if key:
        name, value = "x-keyturn-key", key
    else:
        audience = setting("KEYTURN_AUDIENCE")
        if not audience:
            raise Stop(USAGE, "nothing says who calls: set KEYTURN_AUDIENCE for the managed identity, or KEYTURN_KEY")
        name, value = "authorization", f"Bearer {identity_token(audience)}"
    if not re.fullmatch(r"[\x20-\x7e]+", value):
        raise Stop(USAGE, "the credential holds something else than visible characters")
    return {name: value}


class Api:
    def __init__(self, base, headers):
        self.base = base
        self.headers = headers
        self.opener = request.build_opener(NoRedirect)

    def once(self, path, body=None, more_headers=None):
        """(status, answer) of one request; (None, reason) where nobody answered."""
        headers = {"accept": "application/json", **self.headers, **(more_headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        asked = request.Request(self.base + path, data=data, headers=headers)
        try:
            with self.opener.open(asked, timeout=60) as answer:
                return answer.status, read(answer)
        except error.HTTPError as problem:
            return problem.code, read(problem)
        except OSError as problem:
            return None, type(problem).__name__ if not isinstance(problem, error.URLError) else str(problem.reason)

    def ask(self, path, body=None, more_headers=None):
        """Like `once`, with patience for what passes: no answer, a gateway's answer, a request that is being taken in."""
        for attempt in range(TRIES):
            status, answer = self.once(path, body, more_headers)
            code = answer.get("code") if isinstance(answer, dict) else None
            passes = status is None or (status >= 500 and code is None) or code == "key-in-work"
            if not passes or attempt == TRIES - 1:
                return status, answer
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("unreachable")


def read(answer):
    try:
        return json.loads(answer.read())
    except (OSError, ValueError):
        return None


def problem_stop(api, status, answer):
    if status is None:
        return Stop(UNREACHABLE, f"{api.base} gave no answer: {answer}; see {app_down()}")
    if not isinstance(answer, dict) or "code" not in answer:
        return Stop(UNREACHABLE, f"{api.base} answered with status {status}, and not as Keyturn does; see {app_down()}")
    code = answer["code"]
    fields = "".join(f" {one.get('field')}: {one.get('detail')}." for one in answer.get("errors") or [])
    text = f"{code}: {answer.get('detail', '')}{fields} Do: {answer.get('hint', '')} See {answer.get('page', '')}"
    if code in NOT_NOW_CODES:
        return Stop(NOT_NOW, text)
    if status in (401, 403):
        return Stop(REFUSED, text)
    if status == 404:
        return Stop(NOT_FOUND, text)
    return Stop(USAGE if status == 400 else FAILED, text)


def outcome_of(name, rotation):
    """Exit code of a rotation that is over, else None."""
    state = rotation.get("state")
    if state == "rotated":
        say(f"{name} rotated to version {rotation.get('to', 'unknown')}")
        return OK
    if state == "skipped":
        raise Stop(NOT_NOW, f"{name} skipped: {rotation.get('detail', '')}; nothing was changed. Do: {rotation.get('hint', '')}")
    if state == "failed":
        failure = rotation.get("failure") or {}
        raise Stop(
            FAILED,
            f"{name} failed: {failure.get('code', '')}: {failure.get('message', '')} "
            f"Do: {failure.get('hint', '')} See {failure.get('page', '')}",
        )
    return None


def standing(rotation):
    """How it stands, in a line: while it is tried again, with the cause and the time of the next try."""
    state = rotation.get("state")
    if state != "retrying":
        return state
    failure = rotation.get("failure") or {}
    return f"{state}: {failure.get('code', '')}: {failure.get('message', '')}; next try at {rotation.get('nextTryAt', '')}"


def app_down():
    address = setting("KEYTURN_DOCS_URL", "")
    return f"{address.rstrip('/')}/docs/on-call/app-down.md" if address else "docs/on-call/app-down.md"


def follow(api, name, rotation, deadline):
    """Waits for the end. A broken line ends nothing: the rotation goes on by itself."""
    rotation_id = rotation["rotationId"]
    say(f"{name}: rotation {rotation_id}")
    shown = None
    unknown = 0
    while True:
        state = rotation.get("state")
        if standing(rotation) != shown:
            shown = standing(rotation)
            say(f"{name}: {shown}")
        exit_code = outcome_of(name, rotation)
        if exit_code is not None:
            return exit_code
        if time.monotonic() >= deadline:
            if state == "awaiting-approval":
                raise Stop(NOT_NOW, f"{name} waits for a second person still: keyturn approve {rotation_id}")
            raise Stop(TIMED_OUT, f"{name} is {state} still; it goes on by itself: keyturn rotation {rotation_id} --wait")
        time.sleep(PAUSE_SECONDS)
        status, answer = api.once(f"/rotations/{rotation_id}")
        if status == 200 and isinstance(answer, dict):
            rotation = answer
        elif status in (401, 403):
            raise problem_stop(api, status, answer)
        elif status == 404:
            unknown += 1
            if unknown > UNKNOWN_TRIES:
                raise problem_stop(api, status, answer)


def read_arguments(arguments):
    if not 2 <= len(arguments) <= 3:
        raise Stop(USAGE, "usage: rotate_secret.py VAULT/NAME REASON [rotate|emergency|rollback]")
    secret, reason = arguments[0].strip(), plain(arguments[1]).strip()
    action = arguments[2].strip() if len(arguments) == 3 else "rotate"
    named = re.fullmatch(r"([0-9a-zA-Z-]{1,64})/([0-9a-zA-Z-]{1,127})", secret)
    if named is None:
        raise Stop(USAGE, "the secret is named VAULT/NAME, of letters, digits and dashes")
    if action not in ("rotate", "emergency", "rollback"):
        raise Stop(USAGE, "the action is rotate, emergency or rollback")
    if not reason:
        raise Stop(USAGE, "the reason is empty: it stands in the history")
    return named.group(1), named.group(2), reason, action


def read_timeout():
    text = setting("KEYTURN_TIMEOUT", "600")
    if not re.fullmatch(r"\d{1,5}", text):
        raise Stop(USAGE, "KEYTURN_TIMEOUT is a number of seconds")
    return int(text)


def run(arguments):
    vault, secret, reason, action = read_arguments(arguments)
    deadline = time.monotonic() + read_timeout()
    api = Api(base_url(), credential())
    name = f"{vault}/{secret}"
    path = f"/vaults/{vault}/secrets/{secret}/{action}"
    # One key for all tries: however often the request arrives, it is one rotation.
    status, answer = api.ask(path, {"reason": reason}, {"idempotency-key": f"runbook-{uuid.uuid4()}"})
    if status not in (200, 202) or not isinstance(answer, dict) or "rotationId" not in answer:
        raise problem_stop(api, status, answer)
    return follow(api, name, answer, deadline)


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(sys.argv[1:])
    except KeyboardInterrupt:
        print("ended; what was asked for goes on by itself", file=sys.stderr, flush=True)
        return INTERRUPTED
    except Stop as stop:
        print(plain(stop), file=sys.stderr, flush=True)
        return stop.exit_code


if __name__ == "__main__":
    code = main()
    # Azure Automation counts a runbook as failed when an exception leaves it, and drops the exit code: so both are given.
    if code != OK and "automationassets" in sys.modules:
        raise RuntimeError(f"Keyturn did not rotate the secret: exit code {code}")
    sys.exit(code)
