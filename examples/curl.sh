#!/bin/sh
# Create, read, update, list and delete a group with curl. Prints each answer, and fails if an answer
# is not as expected. API=http://127.0.0.1:8000 examples/curl.sh
set -eu
api=${API:-http://127.0.0.1:8000}
group=example-$$

# request STATUS METHOD PATH [BODY [ETAG]]: sends one request; $etag is the entity tag of the answer, if it
# has one.
request() {
  expected=$1 method=$2 path=$3 body=${4-} match=${5-}
  set -- --silent --show-error --include --request "$method" "$api$path"
  if [ -n "$body" ]; then set -- "$@" --header 'content-type: application/json' --data "$body"; fi
  if [ -n "$match" ]; then set -- "$@" --header "if-match: $match"; fi
  answer=$(curl "$@" | tr -d '\r')
  status=$(printf '%s\n' "$answer" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p')
  etag=$(printf '%s\n' "$answer" | sed -n 's/^etag: //p')
  printf '%s %s: %s %s\n' "$method" "$path" "$status" "$(printf '%s\n' "$answer" | tail -n 1)"
  [ "$status" = "$expected" ] || { echo "expected $expected" >&2; exit 1; }
}

request 201 POST /v1/group "{\"groupId\":\"$group\",\"labels\":{\"team\":\"core\"}}"
first=$etag
# A second create of the same id is refused.
request 409 POST /v1/group "{\"groupId\":\"$group\"}"
request 200 GET "/v1/group/$group"
# A merge patch: fields that it does not have stay, and null removes a field.
request 200 PATCH "/v1/group/$group" '{"description":"changed","labels":{"team":null,"tier":"1"}}' "$first"
# The same request again is refused: the group is not at that version any more.
request 412 PATCH "/v1/group/$group" '{"description":"changed","labels":{"team":null,"tier":"1"}}' "$first"
request 200 GET '/v1/group?limit=2'
request 200 DELETE "/v1/group/$group"
request 404 GET "/v1/group/$group"
