package chat

// forStatement reads for target in values if condition, with a block for no values.
func (p *parser) forStatement(r *reader) statement {
	targets := []func(*frame, any){r.target()}
	for r.take(",") {
		targets = append(targets, r.target())
	}
	r.want("in")
	values := r.or()
	var condition expression
	if r.take("if") {
		condition = r.expression()
	}
	r.end()
	p.loops++
	body, word, _ := p.until("else", "endfor")
	p.loops--
	var empty block
	if word == "else" {
		empty, _, _ = p.until("endfor")
	}
	return func(f *frame) signal {
		all := elements(values(f))
		if condition != nil {
			all = chosen(f, all, targets, condition)
		}
		if len(all) == 0 {
			return empty.do(f)
		}
		turns(f, all, targets, body)
		return onward
	}
}

// chosen returns the values for which a condition holds.
func chosen(f *frame, all []any, targets []func(*frame, any), condition expression) (out []any) {
	for _, v := range all {
		inner := f.inside()
		f.step()
		assign(inner, targets, v)
		if truth(condition(inner)) {
			out = append(out, v)
		}
	}
	return out
}

// turns runs the body of a loop for each value.
func turns(f *frame, all []any, targets []func(*frame, any), body block) {
	for i, v := range all {
		f.step()
		inner := f.inside()
		inner.vars["loop"] = loopState(all, i)
		assign(inner, targets, v)
		if body.do(inner) == leave {
			return
		}
	}
}

// loopState returns what the body of a loop can ask of it.
func loopState(all []any, i int) *object {
	o := newObject()
	n := len(all)
	o.set("index0", i)
	o.set("index", i+1)
	o.set("revindex0", n-i-1)
	o.set("revindex", n-i)
	o.set("first", i == 0)
	o.set("last", i == n-1)
	o.set("length", n)
	if i > 0 {
		o.set("previtem", all[i-1])
	}
	if i < n-1 {
		o.set("nextitem", all[i+1])
	}
	return o
}
