"""From documents to rows of tokens: sources, tokenizers, shards on disk, rows by global sample index."""
