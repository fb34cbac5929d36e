package chat_test

import (
	"fmt"

	"peft/models/tokenizer/chat"
)

func Example() {
	t, err := chat.New(`{% for m in messages %}<|{{ m.role }}|>
{{ m.content | trim }}</s>
{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %}`, nil) // chat.Open("path/of/the/model") reads the model's own
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := t.Render(chat.Conversation{
		Messages: []chat.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "What is LoRA? "}},
		Prompt:   true,
	})
	fmt.Print(text, err)
	// Output:
	// <|system|>
	// Be brief.</s>
	// <|user|>
	// What is LoRA?</s>
	// <|assistant|>
	// <nil>
}
