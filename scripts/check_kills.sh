#!/usr/bin/env bash
# Kills a training run at random moments, resumes it each time, and compares where it ends with a run that
# nobody disturbed, bit for bit.
#   ./scripts/check_kills.sh [PROGRAM] [KILLS] [SEED]      default: build/release/examples/train 20
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

train=$(realpath "${1:-build/release/examples/train}") kills=${2:-20} seed=${3:-$$}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
RANDOM=$seed
for ((i = 0; i < 3000; ++i)); do echo "$i times $((i % 17)) is $((i * (i % 17)))"; done >text
settings=(--text text --iterations 90 --context 16 --batch 4 --dropout 0.1 --accumulate 2 --warmup 10
  --evaluate-every 20 --evaluate-batches 2 --checkpoint-every 7 --sample-tokens 5 --threads 2)

now() { date +%s%N; }
compare() { # RUN
  local file
  for file in model.safetensors config.json checkpoint-90/{model,optimizer}.safetensors; do
    cmp "undisturbed/$file" "$1/$file" || die "check_kills: $1/$file is not what an undisturbed run writes (seed $seed)"
  done
  cmp <(cut -d, -f1-3 undisturbed/log.csv) <(cut -d, -f1-3 "$1/log.csv") ||
    die "check_kills: $1/log.csv has other losses than an undisturbed run's (seed $seed)"
}

start=$(now)
"$train" "${settings[@]}" --out undisturbed >undisturbed.txt
took=$((($(now) - start) / 1000))

run=0 resumed=0
for ((killed = 0; killed < kills;)); do
  [ -d "run-$run" ] && resumed=$((resumed + 1))
  "$train" "${settings[@]}" --out "run-$run" --resume >out.txt 2>err.txt &
  program=$!
  sleep "$(printf '0.%06d' $((RANDOM * 32768 % (took / 2 + 1) + RANDOM % 1000)))"
  if kill -KILL $program 2>/dev/null; then
    killed=$((killed + 1))
    wait $program 2>/dev/null || true
  else
    wait $program || die "check_kills: a resumed run failed (seed $seed):"$'\n'"$(cat err.txt)"
    compare "run-$run"
    rm -rf "run-$run"
    run=$((run + 1))
  fi
done
"$train" "${settings[@]}" --out "run-$run" --resume >out.txt
compare "run-$run"

# The same with a signal that asks: the run ends by itself, with a checkpoint.
"$train" "${settings[@]}" --out asked --resume >asked.txt 2>asked-err.txt &
program=$!
until [ -f asked/train.json ] && [ "$(wc -l <asked/log.csv 2>/dev/null || echo 0)" -gt 2 ]; do sleep 0.02; done
kill -INT $program
wait $program || die "check_kills: SIGINT ended the run with an error"
grep -q 'the checkpoint is written' asked.txt || die "check_kills: the run was over before SIGINT came"
"$train" --out asked --resume >/dev/null
compare asked
echo "check_kills: $killed kills, $resumed resumed runs, one interrupted: every end is the undisturbed one (seed $seed)"
