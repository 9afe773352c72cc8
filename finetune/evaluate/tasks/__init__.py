"""What models are asked: one module a task, each with `run(bench, ...)` that fills the bench's sheet."""
