#!/usr/bin/env bash
# Kills one of two processes of a training at random moments, resumes, and compares what comes out with an uninterrupted run, to the bit.
# usage: bench/kills.sh WEAKLINK [KILLS] [SEED]     (WEAKLINK: the built command; mpirun must be installed)
set -uo pipefail
weaklink=$1
kills=${2:-50}
RANDOM=${3:-1}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

train() {
    mpirun -n 2 "$weaklink" train "$@" > "$out/log" 2>&1 < /dev/null
}

start() {
    train --out "$1" --set data.limit=320 --set training.epochs=6 --set training.batch=32 --set training.checkpoint-every=1 --set training.precision=fp32 --set training.layout=channels-last \
        --set evaluation.corruptions=none --set evaluation.attack=none --set evaluation.subnets=0 --set evaluation.images=200 --set seed=1
}

# The tensors of a safetensors file without its header, which tells times.
tensors() {
    local header
    header=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +$((header + 9)) "$1" | sha256sum
}

began=$(date +%s%N)
start "$out/whole" || { cat "$out/log"; exit 1; }
whole=$((($(date +%s%N) - began) / 1000000))
expected=$(tensors "$out/whole/checkpoints/last.safetensors")
echo "an uninterrupted run takes $whole ms: $expected"

same=0 killed=0 fresh=0
for ((i = 1; i <= kills; i++)); do
    run=$out/$i
    start "$run" &
    launcher=$!
    moment=$((RANDOM * 32768 + RANDOM))
    moment=$((moment % whole))
    sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
    mapfile -t ranks < <(pgrep -f -- "^$weaklink train --out $run")
    if ((${#ranks[@]} > 0)) && kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2> /dev/null; then
        killed=$((killed + 1))
    fi
    wait "$launcher"
    if [ -f "$run/checkpoints/last.safetensors" ]; then
        train --resume --out "$run" || { echo "kill $i after $moment ms: the run is lost"; cat "$out/log"; continue; }
    else
        fresh=$((fresh + 1))
        rm -rf "$run"
        start "$run" || { echo "kill $i after $moment ms: the run can't be begun again"; cat "$out/log"; continue; }
    fi
    if [ "$(tensors "$run/checkpoints/last.safetensors")" = "$expected" ]; then
        same=$((same + 1))
    else
        echo "kill $i after $moment ms: other weights"
    fi
    rm -rf "$run"
done
echo "$kills runs, $killed of them killed ($fresh before the first checkpoint): $same end with the weights of the uninterrupted one"
((same == kills))
