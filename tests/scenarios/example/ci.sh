#!/bin/sh
# For a CI job: which ports are open between the hosts, then the scenarios. It fails when a cell of the matrix is not as
# expected, and when the JUnit file, which the job may keep, is missing or has a failure.
cd "$(dirname "$0")" || exit 1
export SOCKETEER_HOSTS_FILE=hosts.yaml
rm -f junit.xml

socketeer probe --matrix matrix.yaml || exit
socketeer run question.yaml refused.yaml --junit junit.xml "$@"

[ -s junit.xml ] || { echo "ci: there is no report" >&2; exit 2; }
if grep -E '<(failure|error)[ >]' junit.xml; then
  echo "ci: a scenario failed" >&2
  exit 1
fi
