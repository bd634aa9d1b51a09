#!/bin/sh
# Runs Effect's own diagnostics over the whole project, as the plugin in tsconfig.json sets them. The checker is no
# devDependency: it is a second TypeScript compiler of 150 MB, and only CI runs it.
set -eu
cd "$(dirname "$0")/.."
version=0.45.0
folder=.cache/effect-tsgo-$version
checker=$folder/node_modules/.bin/effect-tsgo
[ -x "$checker" ] ||
  npm install --prefix "$folder" --no-save --ignore-scripts --loglevel=error "@effect/tsgo@$version"
exec "$checker" diagnostics --project tsconfig.json --strict
