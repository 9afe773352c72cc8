"""LoRA adapters and a base model in, a verified GGUF out, in about a gigabyte of memory.

`build` merges and quantises, `adapter` makes a run-time LoRA, `importance` computes an importance matrix,
`verify` compares a result with its source in llama.cpp, `describe` says what is in a file. Nothing here imports
torch, or anything else of ours.
"""
