#!/bin/sh
# Runs once, when the image of Postgres has made the database: the next start waits for one of two standbys.
set -eu
echo 'host replication all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
  -c "alter system set synchronous_standby_names = 'ANY 1 (standby1, standby2)'"
