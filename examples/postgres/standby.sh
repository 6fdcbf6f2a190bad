#!/bin/sh
# Copies the primary at the first start, and follows it. $1: the name of this standby.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  PGPASSWORD=$(cat /database/password)
  export PGPASSWORD
  until pg_basebackup -d "host=primary user=cohort application_name=$1" -D "$PGDATA" -R -X stream; do
    # What an interrupted copy has left would refuse the next one.
    find "$PGDATA" -mindepth 1 -delete
    sleep 1
  done
fi
exec postgres
