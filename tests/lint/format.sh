#!/bin/bash
# Every C++ source is as clang-format leaves it: ./dev format.
set -euo pipefail
cd "$(dirname "$0")/../.."
find server client yaml tests \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0r clang-format --dry-run -Werror
