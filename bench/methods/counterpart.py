"""A method of Hugging Face PEFT, or of AdapterHub's library, on a text classifier: the other side of bench/methods.

    python3 counterpart.py -model DIR -data DIR -method '{"method": "p_tuning"}' -lr 1e-2 -epochs 2 -batch 16 -seed 0

The folder of data has a train.jsonl and a test.jsonl. The method's configuration is what examples/finetune takes, read by PEFT, or by AdapterHub's library where only that has the method. Ends
with a line of JSON, whose keys are those of examples/finetune -json; the accuracy is null where neither has the method, or the one that has it is not installed.
"""
import argparse
import importlib.util
import json
import pathlib

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup


def read(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["text"] for line in lines], torch.tensor([line["label"] for line in lines])


# The names that examples/finetune has for what PEFT calls otherwise. What it calls prefix_tuning is AdapterHub's.
NAMES = {"prefix": "PREFIX_TUNING", "prompt": "PROMPT_TUNING", "prefix_tuning": "none"}


def by_peft(model, name, fields):
    """The model with a method of PEFT, and what its inputs need besides; None where it has no such method."""
    import peft

    kind = peft.PEFT_TYPE_TO_CONFIG_MAPPING.get(NAMES.get(name, name.upper()))
    if kind is None:
        return None
    if issubclass(kind, peft.PromptLearningConfig):
        fields.setdefault("num_virtual_tokens", 10)  # its default there
    tasks = kind is peft.MultitaskPromptTuningConfig
    return peft.get_peft_model(model, kind(task_type="SEQ_CLS", **fields)), lambda n: {"task_ids": torch.zeros(n, dtype=torch.long)} if tasks else {}


def by_adapters(model, name, fields):
    """The same of AdapterHub's library."""
    import adapters

    kind = adapters.ADAPTER_CONFIG_MAP.get(name)
    if kind is None:
        return None
    adapters.init(model)
    model.add_adapter("adapter", config=kind.replace(**fields))
    model.train_adapter("adapter")
    return model, lambda n: {}


def adapted(model, name, **fields):
    """The model with the method, as the first of the libraries makes it that has it."""
    for library, by in {"peft": by_peft, "adapters": by_adapters}.items():
        if importlib.util.find_spec(library) and (found := by(model, name, fields)):
            return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind in dict(model=pathlib.Path, data=pathlib.Path, method=str, lr=float, epochs=int, batch=int, seed=int, threads=int).items():
        parser.add_argument("-" + name, type=kind, required=True)
    args = parser.parse_args()
    method = json.loads(args.method)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    (texts, labels), (held_out, answers) = (read(args.data / name) for name in ("train.jsonl", "test.jsonl"))
    model = AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=int(labels.max()) + 1)
    found = adapted(model, method.pop("method"), **method)
    if found is None:
        return print(json.dumps({"eval_accuracy": None}))
    model, more = found
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=args.lr, weight_decay=0)
    schedule = get_linear_schedule_with_warmup(optimizer, 0, args.epochs * -(-len(texts) // args.batch))

    def inputs(some):
        return tokenizer(some, truncation=True, max_length=256, padding=True, return_tensors="pt") | more(len(some))

    model.train()
    for _ in range(args.epochs):
        for rows in torch.randperm(len(texts)).split(args.batch):
            model(**inputs([texts[i] for i in rows]), labels=labels[rows]).loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

    model.eval()
    with torch.no_grad():
        right = sum((model(**inputs(held_out[i : i + 64])).logits.argmax(-1) == answers[i : i + 64]).sum().item() for i in range(0, len(answers), 64))
    count = sum(p.numel() for p in trained)
    print(json.dumps({"trainable": count, "percent": 100 * count / sum(p.numel() for p in model.parameters()), "eval_accuracy": right / len(answers)}))


main()
