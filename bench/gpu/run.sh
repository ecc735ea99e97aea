#!/usr/bin/env bash
# On the machine with the GPU: checks what it computes, times training steps beside bare PyTorch, then trains ResNet-18 on all images, plain, with EWS, with
# AugMix and with both, at equal compute. Unattended; the same command goes on where it was stopped. 40 minutes on a large GPU with the settings below.
#   bench/gpu/run.sh OUT [KEY=VALUE...]      (after bench/gpu/pack.sh; settings as in recipes, such as data.limit=500 training.epochs=2)
set -euo pipefail
out=$(realpath -m "${1:?usage: bench/gpu/run.sh OUT [KEY=VALUE...]}"); shift
cd "$(dirname "$0")"
work=${WORK:-/tmp/weaklink-gpu}; mkdir -p "$out" "$work"
[ -d "$work/program" ] || tar -xJf pack/program.tar.xz -C "$work"
[ -d "$work/images" ] || { mkdir -p "$work/unpacking" && tar -xJf pack/images.tar.xz -C "$work/unpacking" && mv "$work/unpacking" "$work/images"; }
export PATH=$work/program/WeakLink.Cli:$work/program/WeakLink.Benchmarks:$PATH WEAKLINK_CACHE=${WEAKLINK_CACHE:-$work/cache}
: "${WEAKLINK_LIBTORCH=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')}"
export WEAKLINK_LIBTORCH

WeakLink.Cli info | tee "$out/info.txt"
WeakLink.Benchmarks device "${STEPS:-50}" | tee "$out/device.txt"
python3 pack/bare_pytorch.py "${STEPS:-50}" | tee "$out/bare_pytorch.txt" || echo "bare PyTorch could not be timed"

settings=(model.name=resnet18 training.epochs=24 training.precision=auto evaluation.corruption-images=1000)
# Training stops in time to be measured; the same command goes on.
timeout --signal=INT "${SECONDS_LEFT:-1800}" WeakLink.Cli compare \
  plain=cifar-small ews=cifar-small,ews.search=policy augmix=cifar-small,augmentation.sequence=crop,flip,augmix \
  both=cifar-small,augmentation.sequence=crop,flip,augmix,ews.search=random,ews.view=augmix,ews.fraction=0.4 \
  --budget compute --seeds "${SEEDS:-1}" --data "$work/images" --out "$work/runs" $(printf -- '--set %s ' "${settings[@]}" "$@") | tee "$out/compare.txt"
cp "$work"/runs/comparison.json "$work"/runs/report.html "$out"/ 2>/dev/null || true
