#!/bin/sh
# What `make check-deploy` runs: the checks of deploy/ that need tools which the tests must not need.
# Each tool that is missing is named, and the rest goes on; the last line says what was not checked.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing=""
failed=""

say() { printf '\n== %s\n' "$1"; }
has() { command -v "$1" >/dev/null 2>&1 || { missing="$missing $1"; return 1; }; }
check() { "$@" || failed="$failed [$*]"; }

say "systemd: units and their exposure (at most 2.0 of 10)"
if has systemd-analyze; then
  units="$work/units"
  mkdir -p "$units/vedette-agent-icmp.service.d"
  for unit in agent/vedette-agent.service controller/vedette-controller.service; do
    # The program is not installed here; whether its command exists is a test of its own.
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' "$unit" > "$units/$(basename "$unit")"
  done
  cp "$units/vedette-agent.service" "$units/vedette-agent-icmp.service"
  cp agent/vedette-agent-icmp.conf "$units/vedette-agent-icmp.service.d/icmp.conf"
  SYSTEMD_UNIT_PATH="$units:"
  export SYSTEMD_UNIT_PATH
  for unit in vedette-agent vedette-agent-icmp vedette-controller; do
    check systemd-analyze verify "$units/$unit.service"
    check systemd-analyze security --offline=true --no-pager --threshold=20 "$unit.service" > "$work/security"
    tail -n 1 "$work/security"
  done
fi

say "compose"
mkdir "$work/secrets"
touch "$work/secrets/db_password" "$work/secrets/pgpass"
VEDETTE_SECRETS="$work/secrets"
export VEDETTE_SECRETS
if docker compose version >/dev/null 2>&1; then
  check docker compose --file compose.yaml config --quiet
elif has docker-compose; then
  # Compose 1 knows everything in the file but its name.
  sed '/^name:/d' compose.yaml > "$work/compose.yaml"
  check docker-compose --project-directory . --file "$work/compose.yaml" config --quiet
fi

say "scripts"
if has shellcheck; then check shellcheck check.sh; fi

say "images, YAML, Ansible (tools in a virtual environment of their own, gone afterwards)"
tools="$work/tools"
"$python" -m venv "$tools"
if "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement check-tools.txt; then
  PATH="$tools/bin:$PATH"
  check hadolint agent/Dockerfile controller/Dockerfile
  check yamllint --strict --config-file .yamllint .
  cd ansible
  check ansible-playbook --syntax-check --inventory inventory.example.yml agents.yml
  check ansible-lint --offline --profile production .
else
  missing="$missing check-tools.txt"
fi

say "result"
echo "not checked for want of tools:${missing:- nothing}"
echo "failed:${failed:- nothing}"
[ -z "$failed" ]
