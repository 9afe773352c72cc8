"""`python -m finetune`, which is what `accelerate launch` starts."""

from finetune.cli import main

main()
