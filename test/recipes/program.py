"""An application of docs/recipes/python.md: for each line of its input it asks the database who is logged in."""
import json
import os
import sys
import types
import urllib.request

exec(os.environ["PAGE"])


class Client:
    """As much of azure.keyvault.secrets.SecretClient as the page uses."""

    def get_secret(self, name):
        request = urllib.request.Request(
            f"{os.environ['VAULT']}/secrets/{name}?api-version=7.5", headers={"authorization": "Bearer any"}
        )
        with urllib.request.urlopen(request) as answer:
            return types.SimpleNamespace(value=json.load(answer)["value"])


secret = VaultSecret(Client(), os.environ["SECRET"])
engine = engine_for(secret)
question = "SELECT session_user::text"
for line in sys.stdin:
    try:
        if line.strip() == "psycopg":
            with psycopg_connection(secret) as connection:
                answer = connection.execute(question).fetchone()[0]
        else:
            with engine.connect() as connection:
                answer = connection.execute(sqlalchemy.text(question)).scalar()
        print(answer, flush=True)
    except Exception as error:
        print(" ".join(str(error).split()), flush=True)
