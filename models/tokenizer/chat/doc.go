// Package chat writes a conversation as the one text that a model was trained to read, by the template in the model's own folder.
//
//	t, err := chat.Open("models/qwen3")
//	text, err := t.Render(chat.Conversation{
//		Messages: []chat.Message{{Role: "user", Content: "Hi!"}},
//		Prompt:   true, // it is the model's turn
//	})
//	e, err := tok.Encode(text, tokenizer.NoSpecial()) // the template has put the special tokens in
//
// Templates are programs in the language of Jinja (https://jinja.palletsprojects.com). This package knows the part of it that templates of published models use:
// output, if, for, set, macro, break and continue, namespaces, the operators, and the tests, filters and methods of strings, lists and objects that occur
// there. A template that uses anything else is refused with the line where it does. As in the reference implementation, the newline after a statement
// and the spaces before one that stands first in its line are left out.
//
// Templates come from strangers: they see nothing but the conversation, and the steps they may take and the text they may write are bounded.
package chat
