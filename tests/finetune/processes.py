"""What `test_train` starts on two processes: they agree on clock and end, and save an adapter shared out among them.

python -m torch.distributed.run --standalone --nproc_per_node=2 -m tests.finetune.processes FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from accelerate import Accelerator, PartialState
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from finetune.train import _save
from finetune.train_base import with_lora
from finetune.train_config import Lora
from finetune.train_loop import agreed
from tests.quantize.tiny import random_model


def main(folder: Path) -> None:
    here = PartialState(cpu=True)
    second = here.process_index
    said = agreed(5.5 + 100 * second, stop=False), agreed(7.0 - second, stop=bool(second))
    (folder / f"agreed-{second}").write_text(repr(said), encoding="utf-8")  # on one pipe two lines could mix

    peft = with_lora(random_model("qwen2"), Lora(rank=4, alpha=8), folder, seed=0)
    if here.is_main_process:
        peft.save_pretrained(str(folder / "whole"), save_embedding_layers=False)
    mesh = init_device_mesh("cpu", (2,))
    for layer in peft.base_model.model.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(peft, mesh=mesh)
    Accelerator.is_fsdp2 = property(lambda _: True)  # type: ignore[assignment]  # it shards by itself only on GPUs
    state = Accelerator(cpu=True).get_state_dict(peft)
    if here.is_main_process:
        _save(peft, state, folder / "gathered", "float32")
    here.wait_for_everyone()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
