// Quick order: rows that check themselves as they are typed, Enter that goes
// on, scanners, and pasting a whole block into a row. Without it the page works
// by its buttons.
(() => {
	'use strict'
	const form = document.getElementById('quick')
	const body = document.getElementById('quick-rows')
	const blank = document.getElementById('quick-row')
	if (!form || !body || !blank) return
	const rows = () => [...body.rows]
	const field = (row, name) => row.querySelector(`[name="${name}"]`)
	const value = (row, name) => field(row, name)?.value.trim() ?? ''
	// a unit that nobody chose gives way to one beside the number
	const unit = (row) => (field(row, 'uom').dataset.given ? '' : value(row, 'uom'))
	const typed = (row) => [value(row, 'ref'), unit(row), value(row, 'qty'), value(row, 'pick'), value(row, 'sure')].join('\n')
	const isBlank = (row) => !value(row, 'ref') && !value(row, 'qty')

	function addRow() {
		const row = blank.content.firstElementChild.cloneNode(true)
		body.append(row)
		const n = body.rows.length
		row.querySelector('.row-no').textContent = n
		for (const f of row.querySelectorAll('[aria-label]')) f.setAttribute('aria-label', f.getAttribute('aria-label') + n)
		return row
	}
	// There is always an empty row to go on in.
	function next(row) {
		const all = rows()
		return all[all.indexOf(row) + 1] ?? addRow()
	}
	function nextBlank(row) {
		let r = next(row)
		while (!isBlank(r)) r = next(r)
		return r
	}

	// ---- checking ----

	// One question at a time; the answer counts for rows that still read as asked.
	let timer = 0
	let asking = null
	const MANY = 200 // above so many rows, those of the changed items alone are asked
	const changed = new Set()
	function check(row, delay = 150) {
		changed.add(row)
		clearTimeout(timer)
		timer = setTimeout(ask, delay)
	}
	async function ask() {
		let list = rows().filter((r) => !isBlank(r))
		if (list.length > MANY) {
			const refs = new Set([...changed].map((r) => value(r, 'ref').toLowerCase()))
			list = list.filter((r) => changed.has(r) || refs.has(value(r, 'ref').toLowerCase()))
		}
		for (const r of changed) if (isBlank(r)) show(r, null)
		changed.clear()
		if (list.length === 0) return total()
		const asked = list.map(typed)
		const data = new URLSearchParams()
		for (const r of list) {
			data.append('ref', value(r, 'ref'))
			data.append('uom', unit(r))
			data.append('qty', value(r, 'qty'))
			data.append('pick', value(r, 'pick'))
			data.append('sure', value(r, 'sure'))
			data.append('problem', field(r, 'problem')?.value ?? '')
			data.append('was', field(r, 'was')?.value ?? '')
		}
		asking?.abort()
		asking = new AbortController()
		try {
			const answer = await fetch(form.dataset.check || form.getAttribute('action'), { method: 'POST', body: data, headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: asking.signal })
			if (answer.status === 401) return location.assign('/login?next=' + encodeURIComponent(location.pathname))
			if (!answer.ok) return
			const { lines } = await answer.json()
			lines.forEach((line, i) => {
				const r = list[i]
				if (r.isConnected && asked[i] === typed(r)) show(r, line)
			})
			total()
		} catch (err) {
			if (err.name !== 'AbortError') console.warn('quick order:', err)
		}
	}

	const money = (s) => {
		const [whole, cents = ''] = String(s).split('.')
		return whole.replace(/\B(?=(\d{3})+$)/g, ',') + '.' + cents.padEnd(2, '0')
	}
	const el = (tag, cls, text) => {
		const e = document.createElement(tag)
		if (cls) e.className = cls
		e.textContent = text
		return e
	}

	// show writes what the server said of a row; what is being typed stays.
	function show(row, line) {
		const item = line?.item
		// half a row is not wrong yet
		const waits = line && (!line.qty || !line.ref) && (document.activeElement && row.contains(document.activeElement) || !line.qty)
		const typing = document.activeElement === field(row, 'ref') && line?.field === 'ref'
		const error = typing ? '' : waits && (line.field === 'qty' || !line.ref) ? '' : line?.error
		row.classList.toggle('bad', Boolean(error))
		row.dataset.ready = item && !line.error && line.qty ? line.item.line_total ?? '0' : ''
		row.dataset.bad = error ? '1' : ''
		for (const name of ['ref', 'qty', 'uom']) {
			const f = field(row, name)
			if (error && line.field === name) f.setAttribute('aria-invalid', 'true')
			else f.removeAttribute('aria-invalid')
		}
		const what = row.querySelector('.what')
		what.replaceChildren()
		if (item) {
			const a = el('a', '', item.description)
			a.href = '/items/' + window.inAddress(item.item_no)
			a.tabIndex = -1
			what.append(a, ' ', el('span', 'sub code', item.item_no), ' ')
			units(row, item, line)
		}
		if (error) what.append(el('span', 'field-error', error))
		if (line?.warning) what.append(el('span', 'warn', line.warning))
		what.append(asks(row, line))
		const each = row.querySelector('.each')
		if (each) {
			each.textContent = item?.unit_price ? money(item.unit_price) : ''
			row.querySelector('.amount').textContent = row.dataset.ready && item.line_total ? money(item.line_total) : ''
		}
	}

	// asks are the questions that a row has: which of several items, and whether
	// an unusual quantity is meant. Without one its field is there and empty.
	function asks(row, line) {
		const n = row.querySelector('.row-no').textContent
		const box = el('span', 'asks', '')
		const question = (name, value, ask, label, options) => {
			const f = document.createElement(options.length ? 'select' : 'input')
			f.name = name
			if (!options.length) f.type = 'hidden'
			else {
				f.className = 'form-select ' + name
				f.id = `f-${name === 'pick' ? 'ref' : name}-${n}` // where an error leads
				f.setAttribute('aria-label', label + ', row ' + n)
				f.append(new Option(ask, ''), ...options.map(([v, text]) => new Option(text, v)))
			}
			f.value = options.some(([v]) => v === value) ? value : ''
			box.append(f)
		}
		field(row, 'ref').id = line?.choices?.length ? '' : 'f-ref-' + n
		question('pick', line?.pick ?? '', 'Which one?', 'Which item', (line?.choices ?? []).map((c) => [c.item_no, `${c.item_no} – ${c.description}${c.uom ? ` (${c.uom})` : ''}`]))
		question('sure', line?.sure ?? '', 'Sure?', 'Is the quantity meant', line?.ask_sure ? [[line.ask_sure, 'Yes: ' + line.ask_sure]] : [])
		return box
	}

	function units(row, item, line) {
		const cell = row.querySelector('.unit')
		const now = field(row, 'uom')
		const wanted = line.field === 'uom' ? [line.uom, ...item.units] : item.units
		if (now.nodeName === 'SELECT' && [...now.options].map((o) => o.value).join() === wanted.join()) {
			if (now !== document.activeElement) now.value = line.field === 'uom' ? line.uom : item.uom
			return
		}
		const select = document.createElement('select')
		select.name = 'uom'
		select.className = 'form-select uom'
		select.id = 'f-uom-' + row.querySelector('.row-no').textContent
		select.setAttribute('aria-label', 'Unit, row ' + (row.rowIndex))
		for (const u of wanted) select.append(new Option(u, u))
		if (!line.uom) select.dataset.given = '1'
		select.value = line.field === 'uom' ? line.uom : item.uom
		cell.replaceChildren(select)
	}

	function total() {
		let ready = 0
		let bad = 0
		let cents = 0n
		for (const r of rows()) {
			if (r.dataset.ready) {
				ready++
				const [whole, part = ''] = r.dataset.ready.split('.')
				cents += BigInt(whole) * 100n + BigInt(part.padEnd(2, '0').slice(0, 2))
			}
			if (r.dataset.bad) bad++
		}
		const state = document.getElementById('quick-state')
		const text = [ready ? `${ready} ${ready === 1 ? 'line' : 'lines'} ready` : '', bad ? `${bad} to look at` : ''].filter(Boolean).join(', ')
		if (state.textContent !== text) state.textContent = text
		const sum = document.getElementById('quick-total')
		if (sum) sum.textContent = ready ? money(`${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`) : ''
	}

	body.addEventListener('input', (e) => {
		const row = e.target.closest('tr')
		if (e.target.name === 'uom') delete e.target.dataset.given
		if (e.target.name === 'ref') {
			// another item, another unit
			const unit = field(row, 'uom')
			if (unit.nodeName === 'SELECT') {
				const hidden = document.createElement('input')
				hidden.type = 'hidden'
				hidden.name = 'uom'
				unit.replaceWith(hidden)
			} else unit.value = ''
		}
		check(row)
	})

	// what was not yet wrong while it was typed is said when the field is left
	body.addEventListener('focusout', (e) => {
		const row = e.target.closest('tr')
		if (e.target.name === 'ref' && row && value(row, 'ref')) check(row, 0)
	})

	// ---- the keyboard, and scanners, which are quick keyboards ----

	const QUICK = 35 // ms between the keys of a scanner
	let keys = []
	const scanned = () => keys.length >= 7 && keys.slice(1).every((t, i) => t - keys[i] < QUICK)
	body.addEventListener('keydown', (e) => {
		if (e.key.length === 1) {
			const at = performance.now()
			if (keys.length && at - keys[keys.length - 1] > QUICK) keys = []
			keys.push(at)
		}
		const row = e.target.closest('tr')
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			// the list of suggestions takes them while it is open
			if (e.defaultPrevented || e.target.getAttribute('aria-expanded') === 'true' || e.target.nodeName === 'SELECT') return
			const all = rows()
			const to = all[all.indexOf(row) + (e.key === 'ArrowDown' ? 1 : -1)]
			if (to) {
				e.preventDefault()
				field(to, e.target.name)?.focus()
			}
			return
		}
		if (e.key !== 'Enter' || e.ctrlKey || e.metaKey || e.defaultPrevented) return
		e.preventDefault()
		const fast = scanned()
		const typed = keys.length
		keys = []
		if (fast && e.target.name === 'qty') {
			// a scan after a scan: what came in is the next code
			const code = e.target.value.slice(-typed)
			e.target.value = e.target.value.slice(0, -typed) || '1'
			scan(nextBlank(row), code)
			check(row, 0)
		} else if (fast && e.target.name === 'ref') scan(row, e.target.value.trim())
		else if (e.target.name === 'ref') {
			if (!value(row, 'ref')) return
			const qty = field(row, 'qty')
			qty.focus()
			qty.select()
			check(row, 0)
		} else if (e.target.name === 'qty' && !value(row, 'ref')) field(row, 'ref').focus()
		else {
			field(next(row), 'ref').focus()
			check(row, 0)
		}
	})

	// Enter sends nothing by itself: there are buttons for that.
	body.addEventListener('keypress', (e) => { if (e.key === 'Enter') e.preventDefault() })

	// scan counts a code that is there already up, else takes row for it.
	function scan(row, code) {
		// only what is plainly a number is counted up
		const same = rows().find((r) => r !== row && value(r, 'ref') === code && /^\d{0,9}$/.test(value(r, 'qty')))
		const into = same ?? row
		const qty = field(into, 'qty')
		qty.value = same ? String((Number(qty.value) || 0) + 1) : qty.value || '1'
		field(row, 'ref').value = same ? '' : code
		check(into, 0)
		if (same) check(row, 0)
		field(same ? row : nextBlank(row), 'ref').focus()
	}

	body.addEventListener('lookup:choose', (e) => {
		e.preventDefault()
		const row = e.target.closest('tr')
		e.target.value = e.detail.item_no
		// the unit whose barcode was typed
		if (e.detail.match_uom) field(row, 'uom').value = e.detail.match_uom
		const qty = field(row, 'qty')
		qty.focus()
		qty.select()
		check(row, 0)
	})

	// ---- a block pasted into a row ----

	body.addEventListener('paste', (e) => {
		const text = e.clipboardData?.getData('text/plain') ?? ''
		if (!/[\t\n]\s*\S/.test(text.trim())) return
		e.preventDefault()
		document.getElementById('f-paste').value = text
		form.requestSubmit(form.querySelector('button[value="check"]'))
	})

	// ---- what was typed outlives the page, until it is in the cart ----

	const key = 'quick:' + (document.querySelector('meta[name="who"]')?.content ?? '') + (form.dataset.rows ? ':' + form.dataset.rows : '')
	const store = (value) => { try { value ? sessionStorage.setItem(key, value) : sessionStorage.removeItem(key) } catch { /* full or forbidden */ } }
	const save = () => store(JSON.stringify(rows().filter((r) => !isBlank(r)).map((r) => [value(r, 'ref'), unit(r), value(r, 'qty')])))
	body.addEventListener('input', save)
	form.addEventListener('submit', (e) => { if (['add', 'save'].includes(e.submitter?.value)) store('') })

	// Other rights, other columns and answers: the page is asked for again, and
	// what was typed with it.
	const access = document.getElementById('quick-access')
	const shown = access?.dataset.shown
	access?.addEventListener('live:changed', () => {
		if (document.getElementById('quick-access')?.dataset.shown === shown) return
		save()
		location.assign(form.getAttribute('action'))
	})

	const filled = rows().filter((r) => !isBlank(r))
	for (const r of filled) {
		r.dataset.bad = r.classList.contains('bad') ? '1' : ''
		const amount = r.querySelector('.amount')?.textContent.replaceAll(',', '').trim()
		r.dataset.ready = r.classList.contains('bad') || !r.querySelector('.what a') ? '' : amount || '0'
	}
	if (filled.length) save()
	else {
		let kept = []
		try { kept = JSON.parse(sessionStorage.getItem(key) || '[]') } catch { /* forbidden, or not ours */ }
		kept.forEach(([ref, uom, qty], i) => {
			const row = rows()[i] ?? addRow()
			field(row, 'ref').value = ref
			field(row, 'uom').value = uom
			field(row, 'qty').value = qty
			check(row, 0)
		})
	}
	if (!form.dataset.rows) field(rows().find(isBlank) ?? addRow(), 'ref').focus({ preventScroll: true })
})()
