package chat

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// variables are there in every template of these tests.
var variables = map[string]any{"s": "Hello", "n": 7, "f": 2.5, "l": []int{1, 2, 3}, "e": "", "u": "  pad\n",
	"o": json.RawMessage(`{"b": 1, "a": [true, null, "x"]}`), "m": json.RawMessage(`[{"k": 1, "v": "a"}, {"k": 2, "v": "b"}]`)}

// TestLanguage compares what templates write with what Jinja, with the settings of the reference implementation, writes.
func TestLanguage(t *testing.T) {
	for _, c := range [][2]string{
		{`{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2.0 * 3 }} {{ 1e3 }}`, `7 3 -4 2 3.5 6.0 1000.0`},
		{`{{ 'a' ~ 1 ~ none ~ true ~ 1.0 }}`, `a1NoneTrue1.0`},
		{`{{ 'a' 'b' "c" }}`, `abc`},
		{`{{ l }} {{ o }} {{ (1, 2) | list }} {{ {'x': 'it\'s'} }}`, `[1, 2, 3] {'b': 1, 'a': [True, None, 'x']} [1, 2] {'x': "it's"}`},
		{`{{ s[0] }}{{ s[-1] }}{{ s[1:3] }}{{ s[::-1] }}{{ l[1:] }}{{ l[:-1] }}{{ l[::2] }}{{ l[5:] }}{{ l[-10:2] }}`, `HoelolleH[2, 3][1, 2][1, 3][][1, 2]`},
		{`{{ o.b }} {{ o['a'][2] }} {{ o.missing }} {{ missing }} {{ o.get('b') }} {{ o.get('z', 'd') }} {{ o.get('z') }}`, `1 x   1 d None`},
		{`{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 2 in l }} {{ 5 not in l }} {{ 'el' in s }} {{ 'b' in o }} {{ 1 == 1.0 }} {{ 'a' == 1 }} {{ not 1 }}`, `True False True True True True True False False`},
		{`{{ 1 and 0 or 'x' }} {{ '' or none or 'y' }} {{ s if n > 5 else 'z' }}|{{ s if n > 50 }}|`, `x y Hello||`},
		{`{{ s is defined }} {{ zz is defined }} {{ zz is not defined }} {{ none is none }} {{ s is string }} {{ o is mapping }} {{ l is iterable }} {{ l is sequence }} {{ n is number }} {{ n is odd }} {{ true is boolean }} {{ n is integer }} {{ f is float }} {{ n is eq 7 }} {{ n is eq(7) }}`, `True False True True True True True True True True True True True True True`},
		{`{{ u | trim }}|{{ u.strip() }}|{{ u.lstrip() }}|{{ u.rstrip('\n') }}|{{ 'xxaxx'.strip('x') }}`, "pad|pad|pad\n|  pad|a"},
		{`{{ s | upper }} {{ s | lower }} {{ 'hELLO wORLD' | capitalize }} {{ "they're bill's" | title }} {{ s | length }} {{ l | count }} {{ o | length }}`, `HELLO hello Hello world They're Bill's 5 3 2`},
		{`{{ l | join(', ') }} {{ l | first }} {{ l | last }} {{ l | reverse | list }} {{ s | reverse }} {{ s | replace('l', 'L') }} {{ 'aaa' | replace('a', 'b', 2) }}`, `1, 2, 3 1 3 [3, 2, 1] olleH HeLLo bba`},
		{`{{ zz | default('d') }} {{ e | default('d') }} {{ e | default('d', true) }} {{ none | default('d') }} {{ zz | d }}`, `d  d None `},
		{`{{ '12' | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ 3.9 | int }} {{ 12 | string + 'x' }}`, `12 0 5 3 12x`},
		{`{{ o | tojson }} {{ l | tojson }} {{ 'a"\\\n\té\x01' | tojson }} {{ 1.5 | tojson }} {{ none | tojson }}`, `{"b": 1, "a": [true, null, "x"]} [1, 2, 3] "a\"\\\n\té\u0001" 1.5 null`},
		{`{{ o | tojson(indent=2) }} {{ [] | tojson(indent=2) }} {{ {} | tojson }}`, "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    null,\n    \"x\"\n  ]\n} [] {}"},
		{`{{ m | selectattr('k', 'equalto', 2) | list }} {{ m | selectattr('v') | list | length }} {{ m | rejectattr('k', 'eq', 2) | map(attribute='v') | join }} {{ ['a', 'b'] | map('upper') | join('-') }}`, `[{'k': 2, 'v': 'b'}] 2 a A-B`},
		{`{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}`, `10TrueFalse332 21FalseFalse321 32FalseTrue310 `},
		{`{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}`, `<1>2 1<2>3 2<3> `},
		{`{% for x in l if x != 2 %}{{ x }}{{ loop.index }}{{ loop.last }}{% else %}none{% endfor %}|{% for x in [] %}{{ x }}{% else %}none{% endfor %}`, `11False32True|none`},
		{`{% for k, v in o.items() %}{{ k }}={{ v }};{% endfor %}{% for k in o %}{{ k }}{% endfor %}{% for k, v in o | items %}{{ k }}{% endfor %}`, `b=1;a=[True, None, 'x'];baba`},
		{`{% for x in l %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}|{% for x in l %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}`, `13|1`},
		{`{% set a = 1 %}{% for x in l %}{% set a = x %}{% endfor %}{{ a }} {% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}`, `1 7`},
		{`{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set c %}block {{ a }}{% endset %}{{ c }}{{ c | length }}`, `12 block 17`},
		{`{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %} {% if not n %}0{% elif n == 7 %}seven{% endif %}`, `big seven`},
		{`{% if true %}{% set z = 5 %}{% endif %}{{ z }}`, `5`},
		{`{% macro hi(name, mark='!') %}Hi {{ name }}{{ mark }}{% endmacro %}{{ hi('Bo') }} {{ hi('Al', mark='?') }} {{ hi() }}`, `Hi Bo! Hi Al? Hi !`},
		{`{% macro fact(k) %}{% if k <= 1 %}1{% else %}{{ k * (fact(k - 1) | int) }}{% endif %}{% endmacro %}{{ fact(5) }}`, `120`},
		{"a\n  {% if true %}\n  b\n  {% endif %}\nc", "a\n  b\nc"},
		{"a\n  {%- if true -%}\n  b\n  {%- endif -%}\nc", `abc`},
		{"a  {{- ' x ' -}}  b\n  {{ 1 }}\n{{ 2 }}\n\n", "a x b\n  1\n2\n"},
		{"a {# comment #} b\n{# whole line #}\nc\n  {#- x -#}  d", "a  b\ncd"},
		{"  {%+ if true +%}\n x {% endif %}", "  \n x "},
		{"x  {% if true %} y {% endif %}  z\n {% if true %}\n{% endif %} q", "x   y   z\n q"},
		{`{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a-b-c'.split('-', 1) }} {{ s.startswith('He') }} {{ s.endswith(('x', 'lo')) }} {{ s.find('l') }} {{ s.upper() }} {{ '-'.join(['a', 'b']) }} {{ s.replace('l', '') }} {{ s.count('l') }}`, `['a', 'b', '', 'c'] ['a', 'b'] ['a', 'b-c'] True True 2 HELLO a-b Heo 2`},
		{`{{ range(3) | list }} {{ range(1, 4) | list }} {{ range(5, 0, -2) | list }}`, `[0, 1, 2] [1, 2, 3] [5, 3, 1]`},
		{`{{ '{{' }} {{ '%}' }} {{ "}}" }} {{ {'a': {'b': 1}}['a']['b'] }}`, `{{ %} }} 1`},
		{`{{ 'a\nb' | indent(2) }} {{ 'a\nb\n\nc' | indent }} {{ 'a\nb' | indent(2, true) }}`, "a\n  b a\n    b\n\n    c   a\n  b"},
		{`{{ l + [4] }} {{ 'x' + 'y' }} {{ (1 if false else 2) + 1 }} {{ -n }} {{ n - -1 }} {{ +n if false else 3 }}`, `[1, 2, 3, 4] xy 3 -7 8 3`},
		{`{{ 10 > 9 and 'b' > 'a' }} {{ [1, 2] == [1, 2] }} {{ {'a': 1} == {'a': 1.0} }} {{ none == false }} {{ true == 1 }} {{ '1' in '123' }}`, `True True True False True True`},
		{`{{ o.values() | list }} {{ o.keys() | list }} {{ dict(a=1, b='x') }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e-5 }} {{ 100.0 }} {{ 123456789012345678 }}`, `[1, [True, None, 'x']] ['b', 'a'] {'a': 1, 'b': 'x'} 0.30000000000000004 1e+16 1e-05 100.0 123456789012345678`},
		{`{{ s not in ['a'] }} {{ n is divisibleby 7 if false else 1 }} {{ "%s" if false else 'ok' }}`, `True 1 ok`},
		{`{{ [] is iterable }} {{ none is defined }} {{ (l | length - 1) }} {{ l|length }} {{ not s is string }} {{ n is not none and s is string }}`, `True True 2 3 False True`},
		{`{{ none.x }}|{{ n.x }}|{{ s.x }}`, `||`},
		{`b" }}`, `b" }}`},
	} {
		template, err := New(c[0], variables)
		require.NoError(t, err, c[0])
		got, err := template.Render(Conversation{})
		require.NoError(t, err, c[0])
		require.Equal(t, c[1], got, c[0])
	}
}

// TestErrors are templates that are refused when they are read, and conversations that they refuse.
func TestErrors(t *testing.T) {
	for source, want := range map[string]string{
		"{% if %}x{% endif %}":            `chat: template: line 1: found "", expected a value`,
		"a\n{% for x in l %}":             `chat: template: found the end of the template, expected one of ["else" "endfor"]`,
		"{% for x in l %}{% endif %}":     `found "endif", expected one of ["else" "endfor"]`,
		"\n\n{{ s | nope }}":              `line 3: found the filter "nope", which is not known`,
		"{{ s is nope }}":                 `found the test "nope", which is not known`,
		"{% include 'x' %}":               `found the statement "include", which is not known`,
		"{{ 2 ** 3 }}":                    `found "**", expected the end of the tag`,
		"{{ (1 }}":                        "found {{ without its end",
		"{# x":                            "found {# without its end",
		"{{ 'a }}":                        "found {{ without its end",
		"{{ a ? b }}":                     "found '?', which is not a part of an expression",
		"{{ l[1:2:3:4] }}":                "a slice of more than three parts",
		"{% break %}":                     "found a jump outside of loops",
		"{% endif %}":                     "found endif without what it ends",
		strings.Repeat("{% if 1 %}", 300): "found blocks within blocks deeper than 200",
		"{{ " + strings.Repeat("(", 300):  "found {{ without its end",
		"{{ " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + " }}": "found expressions within expressions deeper than 200",
		"{{ raise_exception('no') }}":                                       "chat: the template refuses the conversation: no",
		"{{ missing.attr }}":                                                `found missing, which is not defined, expected something with "attr" in it`,
		"{{ 'a' + 1 }}":                                                     "found a string + a number, expected numbers",
		"{{ l.append(4) }}":                                                 "found append, which is not defined, expected a function",
		"{% for x in n %}{% endfor %}":                                      "found a number, expected something to go through",
		"{{ 1 / 0 }}":                                                       "found a division by zero",
		"{{ s < 1 }}":                                                       "found a string and a number, expected two numbers or two strings",
		"{{ 1 in s }}":                                                      "found a number, expected a string to look for in a string",
		"{% set o.x = 1 %}":                                                 "found an object, expected o to be a namespace",
		"{% set a, b = [1] %}":                                              "found 1 values, expected 2",
		"{{ range(10000000) }}":                                             "the template takes more than 4194304 steps",
		"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}":                   "functions call functions deeper than 100",
		"{% set ns = namespace(s='ab') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}":                                                       "a string grows beyond 67108864 bytes",
		"{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}":                                                        "a list grows beyond 4194304 elements",
		"{% for i in range(2000) %}{{ 'x' | indent(2000) | replace('x', big) }}{% endfor %}":                                                                     "the template writes more than 67108864 bytes",
		"{% set ns = namespace() %}{% set ns.n = ns %}{{ ns == ns }}{{ ns }}{{ ns | tojson }}":                                                                   "found a namespace, which has no form in JSON",
		"{% set ns = namespace(l=[]) %}{% for i in range(300) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}":                                                   "found values within values deeper than 200",
		"{% set ns = namespace(l=[1], k=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.k = [ns.k, ns.k] %}{% endfor %}{{ ns.l == ns.k }}": "found a value of more than 4194304 parts",
		"{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}":                                             "found a value of more than 4194304 parts",
		"{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}":                                    "found a value of more than 4194304 parts",
		"{% set ns = namespace(l=[], k=[]) %}{% for i in range(300) %}{% set ns.l = [ns.l] %}{% set ns.k = [ns.k] %}{% endfor %}{{ ns.l == ns.k }}":              "deeper than 200",
	} {
		template, err := New(source, variables)
		if err == nil {
			_, err = template.Render(Conversation{Variables: map[string]any{"big": strings.Repeat("y", 1<<16)}})
		}
		require.ErrorContains(t, err, want, "%.200s", source)
	}
}

// TestMessages writes messages that are Go values, with the keys in the order of the struct.
func TestMessages(t *testing.T) {
	template, err := New("{{ bos_token }}{% for m in messages %}{{ m | tojson }}{% endfor %}{% if add_generation_prompt %}>{% endif %}", map[string]any{"bos_token": "<s>"})
	require.NoError(t, err)
	text, err := template.Render(Conversation{Messages: []Message{{Role: "user", Content: "é"}, {Role: "assistant", Reasoning: "r", ToolCalls: []int{1}}}, Prompt: true})
	require.NoError(t, err)
	require.Equal(t, `<s>{"role": "user", "content": "é"}{"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls": [1]}>`, text)
	_, err = template.Render(Conversation{Messages: func() {}})
	require.ErrorContains(t, err, "chat: messages: json: unsupported type")
	_, err = template.Render(Conversation{})
	require.ErrorContains(t, err, "found none, expected something to go through")
}

// TestConcurrent renders one template on many goroutines.
func TestConcurrent(t *testing.T) {
	template, err := New("{% set ns = namespace(n=0) %}{% for i in range(n) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", nil)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			text, err := template.Render(Conversation{Variables: map[string]any{"n": n}})
			if err != nil || text != fmt.Sprint(n*(n-1)/2) {
				t.Errorf("%d: %q %v", n, text, err)
			}
		})
	}
	wg.Wait()
}

// FuzzTemplate reads and renders any template.
func FuzzTemplate(f *testing.F) {
	f.Add("{% for x in l if x %}{{ loop.index ~ x | trim }}{%- else -%}{% set a, b = 1, o.b %}{% endfor %}")
	f.Add("{% macro m(a, b=1) %}{{ a[1:-1:2] is string and not b }}{% endmacro %}{{ m('x', b={'a': [1.5]}) | tojson(indent=2) }}{# c #}")
	f.Fuzz(func(t *testing.T, source string) {
		if template, err := New(source, variables); err == nil && len(source) < 1<<12 {
			_, _ = template.Render(Conversation{})
		}
	})
}
