#!/bin/bash
# The contract keeps to proto/buf.yaml.
set -euo pipefail
cd "$(dirname "$0")/../../proto"
buf="${NODE_PATH:-}/.bin/buf"
if [[ ! -x $buf ]]; then
  echo "skipped: buf is not installed: ./dev setup test"
  exit 77
fi
"$buf" lint
