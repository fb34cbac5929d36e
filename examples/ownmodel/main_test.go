package main

func Example() {
	main()
	// Output:
	//         32  [2 16]         Query/lora_A
	//         32  [16 2]         Query/lora_B
	//         32  [2 16]         Value/lora_A
	//         32  [16 2]         Value/lora_B
	//         64  [4 16]         Attended/adapter_down.0.weight
	//          4  [4]            Attended/adapter_down.0.bias
	//         64  [16 4]         Attended/adapter_up.weight
	//         16  [16]           Attended/adapter_up.bias
	//         64  [2 32]         prefix/prompt_embeddings
	//         16  [16]           Query.bias
	//         16  [16]           Key.bias
	//         16  [16]           Value.bias
	//         16  [16]           Back.bias
	//         16  [16]           Norm.bias
	//         32  [2 16]         classifier.weight
	//          2  [2]            classifier.bias
	// trained 454 of 1814 (25.0276 %)
	// accuracy on new texts: 0.9, without the patch 0.5
}
