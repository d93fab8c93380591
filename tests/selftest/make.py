"""Makes two services and the SQLite databases of two environments, for .github/workflows/selftest.yml.

    make.py FOLDER [--old]    with --old, staging is two migrations ahead of content-service, as in a rollback
"""

import hashlib
import sqlite3
import sys
from pathlib import Path

SERVICES = {
    "content-service": [
        (1, "create_articles", "CREATE TABLE articles (id INTEGER PRIMARY KEY);\n"),
        (2, "add_title", "ALTER TABLE articles ADD COLUMN title TEXT;\n"),
        (20260107, "add_author_account_type", "ALTER TABLE articles ADD COLUMN author_account_type TEXT;\n"),
        (20260109, "remove_unused_social_tables", "DROP TABLE IF EXISTS social;\n"),
    ],
    "social-service": [(1, "create_follows", "CREATE TABLE follows (id INTEGER PRIMARY KEY);\n")],
}
TABLE = """CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL
)"""


def make(folder: Path, old: bool) -> None:
    for service, migrations in SERVICES.items():
        directory = folder / service / "migrations"
        directory.mkdir(parents=True)
        for version, name, sql in migrations:
            if not (old and version > 20260000):
                (directory / f"{version}_{name}.sql").write_bytes(sql.encode())
        for environment in ["staging", "production"]:
            # Production is behind, which is no fault: its service would apply the rest.
            applied = [m for m in migrations if environment == "staging" or m[0] < 20260000]
            with sqlite3.connect(folder / f"{service}-{environment}.db") as database:
                database.execute(TABLE)
                database.executemany(
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)"
                    " VALUES (?, ?, TRUE, ?, 1)",
                    [(v, n.replace("_", " "), hashlib.sha384(sql.encode()).digest()) for v, n, sql in applied],
                )


if __name__ == "__main__":
    make(Path(sys.argv[1]), old="--old" in sys.argv[2:])
