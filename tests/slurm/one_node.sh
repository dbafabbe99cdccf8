#!/usr/bin/env bash
# SLURM with accounting on this machine alone, without systemd and with everything it writes in one folder.
#   one_node.sh start FOLDER    then use it with SLURM_CONF=FOLDER/slurm.conf
#   one_node.sh stop FOLDER
# Debian: apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge slurmdbd mariadb-server
set -euo pipefail
command=$1 state=$2
host=$(hostname -s) user=$(id -un)
export SLURM_CONF=$state/slurm.conf
export MYSQL_UNIX_PORT=$state/sql.sock # what "localhost" means to slurmdbd

await() { # await COMMAND...: until it succeeds, 30 seconds long
  for _ in $(seq 60); do
    if "$@" >"$state/log/await" 2>&1; then return; fi
    sleep 0.5
  done
  echo "$* failed for 30 seconds: $(cat "$state/log/await")" >&2
  exit 1
}

configure() {
  local common="AuthType=auth/munge
AuthInfo=socket=$state/munge.sock"
  cat >"$state/slurmdbd.conf" <<CONF
$common
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=$user
LogFile=$state/log/slurmdbd.log
PidFile=$state/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=$user
StorageLoc=accounting
CONF
  chmod 600 "$state/slurmdbd.conf"
  # cred_expire: a job that is queued again waits that long; the usual 120 seconds are long for a test.
  cat >"$state/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$user
SlurmdUser=$user
$common,cred_expire=5
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/spool
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/log/slurmctld.log
SlurmdLogFile=$state/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819
AccountingStoragePass=$state/munge.sock
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
PartitionName=debug Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
  mkdir -p "$state"/{log,sql,controller,spool}
  chmod 755 "$state"
  configure
  (umask 077 && head -c 1024 /dev/urandom >"$state/munge.key")
  munged --socket="$state/munge.sock" --key-file="$state/munge.key" --pid-file="$state/munge.pid" \
    --log-file="$state/log/munged.log" --seed-file="$state/munge.seed"

  mariadb-install-db --no-defaults --user="$user" --datadir="$state/sql" --skip-test-db >"$state/log/install.log" 2>&1
  setsid mariadbd --no-defaults --user="$user" --datadir="$state/sql" --skip-networking --socket="$MYSQL_UNIX_PORT" \
    --pid-file="$state/sql.pid" </dev/null >"$state/log/mariadb.log" 2>&1 &
  await mariadb-admin --no-defaults --socket="$MYSQL_UNIX_PORT" ping
  mariadb --no-defaults --socket="$MYSQL_UNIX_PORT" -e "CREATE DATABASE accounting"

  slurmdbd >"$state/log/start" 2>&1
  await sacctmgr -n show cluster
  slurmctld >>"$state/log/start" 2>&1
  slurmd >>"$state/log/start" 2>&1
  await eval "sinfo -h -o %t | grep -qx idle"
  sinfo
}

stop() {
  for daemon in slurmd slurmctld slurmdbd sql munge; do
    if [ -f "$state/$daemon.pid" ]; then kill "$(cat "$state/$daemon.pid")" || true; fi
    sleep 0.3
  done
}
"$command"
