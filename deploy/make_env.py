"""Write the passwords and keys of docker-compose.yml to .env: `python3 deploy/make_env.py [FILE]`.

Adds what is missing and keeps what is there, so that it can be run again after an upgrade. Only the standard library,
since it runs before anything is installed.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

VALUES = {
    "COMPOSE_PROFILES": lambda: "local",
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "PRESSMARK_CRAWLER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "PRESSMARK_ANALYST_PASSWORD": lambda: secrets.token_urlsafe(18),
    "PRESSMARK_ADMIN_PASSWORD": lambda: secrets.token_urlsafe(18),
    "PRESSMARK_ERASURE_KEY": lambda: secrets.token_urlsafe(48),
    "AIRFLOW_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "AIRFLOW_FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "AIRFLOW_API_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
    "S3_SECRET_KEY": lambda: secrets.token_urlsafe(24),
}


def main() -> None:
    """Add the missing variables to the file."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else ".env")
    text = path.read_text() if path.exists() else ""
    known = {line.partition("=")[0].strip() for line in text.splitlines() if "=" in line}
    missing = [name for name in VALUES if name not in known]
    if not missing:
        print(f"{path} has all variables.")
        return
    if text and not text.endswith("\n"):
        text += "\n"
    text += "".join(f"{name}={VALUES[name]()}\n" for name in missing)
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
    print(f"Added {', '.join(missing)} to {path}, which only you can read.")
    print("Airflow login: admin, with PRESSMARK_ADMIN_PASSWORD. Analysts: analyst, with PRESSMARK_ANALYST_PASSWORD.")


if __name__ == "__main__":
    main()
