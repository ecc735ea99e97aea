#!/usr/bin/env bash
# What bench/gpu/run.sh needs on a machine that has a GPU and an installed PyTorch, but no .NET and no package registry: WeakLink and its
# benchmarks with the .NET runtime, without libtorch, and the images. About 33 MB in bench/gpu/pack/, which git ignores.
#   bench/gpu/pack.sh cifar10-images.tar.xz
set -euo pipefail
images=$(realpath "${1:?usage: bench/gpu/pack.sh CIFAR10-IMAGES.tar.xz}")
cd "$(dirname "$0")"
rm -rf pack && mkdir -p pack/program
for project in ../../src/WeakLink.Cli ../WeakLink.Benchmarks; do
  # Trimmed: only the framework's own assemblies, which say that they can be; for each program others, so each has a folder.
  dotnet publish -c Release -r linux-x64 --self-contained -p:Torch=none -p:PublishReadyToRun=false -p:PublishTrimmed=true -p:TrimMode=partial -p:SuppressTrimAnalysisWarnings=true \
    -p:JsonSerializerIsReflectionEnabledByDefault=true -p:DebugType=none -p:EmbedAllSources=false -p:RunAnalyzers=false -o "pack/program/$(basename "$project")" "$project"
done
cp bare_pytorch.py pack/
# The runtime wants these to be there, and nothing here loads them: debuggers' and tracers' parts, ONNX Runtime (compare exports nothing).
for unused in libmscordaccore.so libmscordbi.so libclrgc.so libclrgcexp.so libcoreclrtraceptprovider.so libonnxruntime.so; do
  find pack/program -name "$unused" -exec truncate -s 0 {} +
done
find pack/program -name '*.xml' -delete
# What both have is packed once: xz looks back 64 MiB.
tar -c -C pack program | xz -9 > pack/program.tar.xz && rm -r pack/program
cp "$images" pack/images.tar.xz
du -sh pack/*
