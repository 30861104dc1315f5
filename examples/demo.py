"""What `make demo` runs: train shakespeare_char.yaml on an embedded Ray, then let the model speak."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

RECIPE = Path(__file__).parent / "shakespeare_char.yaml"
RAYLM = [sys.executable, "-m", "raylm"]
PROMPT = "ROMEO:"


def main() -> None:
    """Train, then print what came of it; exit as the training did when it failed."""
    start = time.monotonic()
    train = [*RAYLM, "train", str(RECIPE), "scaling.num_workers=1", "--json"]
    done = subprocess.run(train, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    summary = json.loads(done.stdout)
    print(f"\n{summary['status']} after {time.monotonic() - start:.0f} s: {summary['reason']}")
    print(f"validation loss {summary['eval/loss']:.4f} nats per character, over the whole validation split")
    print(f"{summary['tokens_per_second']:,.0f} tokens/s (median step)")
    print("\nit says:\n", flush=True)
    run_id = summary["run_id"]
    speak = ["generate", run_id, "--prompt", PROMPT]
    said = subprocess.run([*RAYLM, *speak, "--max-new-tokens", "300", "--seed", "0"], check=False)
    print(f"\nthe run lies in {summary['uri']}\nnext:")
    for command in (speak, ["checkpoints", "export", run_id, "--to", "model"], ["runs", "show", run_id]):
        print(f"  .venv/bin/raylm {shlex.join(command)}")
    sys.exit(said.returncode)


if __name__ == "__main__":
    main()
