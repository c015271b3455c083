"""tokenize_peer.py TOKENIZER FILE.jsonl [ROUNDS]: tokens a second of encode_batch of the Python package
`tokenizers` over the texts of a file; RAYON_NUM_THREADS says on how many threads."""

import json
import os
import sys
import time

from tokenizers import Tokenizer

texts = [json.loads(line)["text"] for line in open(sys.argv[2], encoding="utf-8")]
tokenizer = Tokenizer.from_file(sys.argv[1])
for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 3):
    start, used = time.perf_counter(), time.process_time()
    made = tokenizer.encode_batch(texts, add_special_tokens=False)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    n = sum(len(encoding.ids) for encoding in made)
    threads = os.environ.get("RAYON_NUM_THREADS", "all")
    print(f"{threads} threads: {len(texts)} texts, {n} tokens, {seconds:.3f} s, {n / seconds:.0f} tokens/s, "
          f"{n / used:.0f} tokens a CPU second")
