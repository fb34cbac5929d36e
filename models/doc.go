// Package models holds families of pre-trained models, built of the sites of package peft and bearing exactly the names of the Hugging Face checkpoints.
//
// [Open] reads a model folder: config.json and *.safetensors, whose weights are mapped and not copied.
//
//	m, err := models.Open("all-MiniLM-L6-v2", models.Options{Task: models.SequenceClassification, Labels: 3})
//
// The families: BERT, RoBERTa and DistilBERT; GPT-2, GPT-NeoX (Pythia) and OPT; Llama (SmolLM), Mistral, Qwen2, Qwen3 and Gemma 3. Some come with heads for sequences, tokens or language
// modelling, see the classes that Open names when it is asked for another.
//
// A model computes a [Batch], packed rows without padding, in a pass that says which patches are on. A family is one file: read bert.go to see how a model is
// written.
package models
