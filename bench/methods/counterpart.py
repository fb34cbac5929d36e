"""A method of Hugging Face PEFT on a text classifier: the other side of bench/methods.

    python3 counterpart.py -model DIR -data DIR -method '{"method": "p_tuning"}' -lr 1e-2 -epochs 2 -batch 16 -seed 0

The folder of data has a train.jsonl and a test.jsonl. The method's configuration is what examples/finetune takes, read by PEFT. Ends with a line of JSON, whose keys
are those of examples/finetune -json; the accuracy is null where PEFT has no such method.
"""
import argparse
import json
import pathlib

import peft
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup


def read(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["text"] for line in lines], torch.tensor([line["label"] for line in lines])


# The names that examples/finetune has for what PEFT calls otherwise. What it calls prefix_tuning is AdapterHub's.
NAMES = {"prefix": "PREFIX_TUNING", "prompt": "PROMPT_TUNING", "prefix_tuning": "none"}


def configuration(method):
    """PEFT's configuration of a method, None where it has no such method."""
    fields = json.loads(method)
    name = fields.pop("method")
    kind = peft.PEFT_TYPE_TO_CONFIG_MAPPING.get(NAMES.get(name, name.upper()))
    if kind and issubclass(kind, peft.PromptLearningConfig):
        fields.setdefault("num_virtual_tokens", 10)  # its default there
    return kind and kind(task_type="SEQ_CLS", **fields)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind in dict(model=pathlib.Path, data=pathlib.Path, method=str, lr=float, epochs=int, batch=int, seed=int, threads=int).items():
        parser.add_argument("-" + name, type=kind, required=True)
    args = parser.parse_args()
    method = configuration(args.method)
    if method is None:
        return print(json.dumps({"eval_accuracy": None}))
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    (texts, labels), (held_out, answers) = (read(args.data / name) for name in ("train.jsonl", "test.jsonl"))
    model = AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=int(labels.max()) + 1)
    model = peft.get_peft_model(model, method)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=args.lr, weight_decay=0)
    schedule = get_linear_schedule_with_warmup(optimizer, 0, args.epochs * -(-len(texts) // args.batch))

    def tokens(some):
        return tokenizer(some, truncation=True, max_length=256, padding=True, return_tensors="pt")

    model.train()
    for _ in range(args.epochs):
        for rows in torch.randperm(len(texts)).split(args.batch):
            model(**tokens([texts[i] for i in rows]), labels=labels[rows]).loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

    model.eval()
    with torch.no_grad():
        right = sum((model(**tokens(held_out[i : i + 64])).logits.argmax(-1) == answers[i : i + 64]).sum().item() for i in range(0, len(answers), 64))
    count = sum(p.numel() for p in trained)
    print(json.dumps({"trainable": count, "percent": 100 * count / sum(p.numel() for p in model.parameters()), "eval_accuracy": right / len(answers)}))


main()
