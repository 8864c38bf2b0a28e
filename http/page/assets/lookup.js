// Suggestions below every <input data-lookup>, the search box first: a combobox
// whose list comes from /lookup while somebody types. A choice is the event
// lookup:choose at the field, with the item as detail; whoever handles it says
// so with preventDefault(). Otherwise the search box opens the item's page, and
// any other field takes the item's code. Without this script the field is a
// plain one of its form.
//
// data-lookup-limit="12" asks for more than eight.
(() => {
	'use strict'
	const words = JSON.parse(document.getElementById('live-words')?.textContent || '{}').lookup ?? {}
	const isSite = (input) => input.id === 'search'

	// One list serves all fields, since one of them has the focus. It hangs on
	// the body, where no table clips it and no live update takes it away.
	const box = document.createElement('div')
	box.className = 'lookup'
	box.hidden = true
	const list = document.createElement('ul')
	list.id = 'lookup-list'
	list.setAttribute('role', 'listbox')
	list.setAttribute('aria-label', words.list)
	const none = document.createElement('p')
	none.className = 'lookup-none'
	box.append(list, none)
	document.body.append(box)

	let field = null // that the list is open or being fetched for
	let items = []
	let at = -1 // the marked one
	let timer = 0
	let request = null
	let spoken = 0

	// ready makes a field a combobox. A live update may have undone it.
	function ready(input) {
		const attributes = { role: 'combobox', 'aria-autocomplete': 'list', 'aria-haspopup': 'listbox', 'aria-controls': list.id, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' }
		for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value)
		if (input !== field || box.hidden) input.setAttribute('aria-expanded', 'false')
	}

	// ---- the list ----

	const grouped = (n) => String(n).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','))

	function part(name, text, parent) {
		const span = document.createElement('span')
		span.className = name
		span.textContent = text
		parent.append(span)
		return span
	}

	function stockOf(item) {
		if (item.discontinued && !item.orderable) return ['out', words.dropped]
		if (!item.stock_state) return item.orderable ? ['', words.can_be] : ['out', words.can_not]
		const figure = item.available !== null && item.stock_state !== 'out'
		return [item.stock_state, figure ? words.number.replace('{n}', grouped(item.available)) : words.stock[item.stock_state]]
	}

	function row(item, i) {
		const li = document.createElement('li')
		li.id = `lookup-${i}`
		li.setAttribute('role', 'option')
		li.setAttribute('aria-selected', 'false')
		const what = part('lookup-what', '', li)
		part('lookup-title', item.description, what)
		part('lookup-code', item.item_no, what)
		if (item.their_item_no) part('sub', ` · ${words.yours} ${item.their_item_no}`, what)
		const much = part('lookup-much', '', li)
		if (item.unit_price !== null) {
			part('price', grouped(item.unit_price), much)
			part('uom', ' ' + item.uom, much)
		} else if (item.price_step !== null) {
			part('sub', ' ' + words.call, much)
		}
		const [state, text] = stockOf(item)
		part('stock' + (state ? ` stock-${state}` : ''), ' ' + text, much)
		return li
	}

	function show(input, found, text) {
		field = input
		items = found
		ready(input)
		list.replaceChildren(...items.map(row))
		list.hidden = items.length === 0
		none.hidden = items.length > 0
		none.textContent = words.none.replace('{text}', text)
		box.hidden = false
		input.setAttribute('aria-expanded', String(items.length > 0))
		mark(-1)
		place()
		// once the typing rests, or it would speak at every key
		clearTimeout(spoken)
		spoken = setTimeout(() => {
			if (box.hidden || field !== input) return
			const said = items.length > 0 ? words.found.replace('{n}', items.length) : none.textContent
			document.dispatchEvent(new CustomEvent('toast', { detail: { text: said, quiet: true } }))
		}, 700)
	}

	function close() {
		clearTimeout(timer)
		clearTimeout(spoken)
		request?.abort()
		request = null
		box.hidden = true
		items = []
		at = -1
		field?.setAttribute('aria-expanded', 'false')
		field?.removeAttribute('aria-activedescendant')
	}

	function mark(i) {
		list.children[at]?.setAttribute('aria-selected', 'false')
		at = i
		const li = list.children[at]
		if (!li) {
			field?.removeAttribute('aria-activedescendant')
			return
		}
		li.setAttribute('aria-selected', 'true')
		li.scrollIntoView({ block: 'nearest' })
		field.setAttribute('aria-activedescendant', li.id)
	}

	// place puts the list below its field, or above where there is more room.
	function place() {
		if (box.hidden || !field) return
		const r = field.getBoundingClientRect()
		const seen = window.visualViewport?.height ?? window.innerHeight
		const width = Math.min(Math.max(r.width, 420), document.documentElement.clientWidth - 16)
		const below = seen - r.bottom - 12
		const above = r.top - 12
		const over = below < 200 && above > below
		box.style.width = `${width}px`
		box.style.left = `${Math.max(8, Math.min(r.left, document.documentElement.clientWidth - width - 8))}px`
		box.style.maxHeight = `${Math.max(120, over ? above : below)}px`
		box.style.top = over ? 'auto' : `${r.bottom + 4}px`
		box.style.bottom = over ? `${window.innerHeight - r.top + 4}px` : 'auto'
	}

	// ---- asking ----

	function ask(input) {
		clearTimeout(timer)
		request?.abort()
		request = null
		const text = input.value.trim()
		if (text === '') return close()
		timer = setTimeout(async () => {
			const mine = new AbortController()
			request = mine
			field = input
			try {
				const answer = await fetch(`/lookup?${new URLSearchParams({ q: text, limit: input.dataset.lookupLimit || '8' })}`, {
					headers: { Accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store', signal: mine.signal,
				})
				if (!answer.ok) throw new Error(`status ${answer.status}`)
				const found = (await answer.json()).items
				if (request === mine && document.activeElement === input) show(input, found, text)
			} catch (err) {
				if (err.name === 'AbortError') return
				// the form still works, and says what is wrong
				console.warn('lookup:', err)
				close()
			}
		}, 120)
	}

	function choose(item) {
		const input = field
		close()
		const event = new CustomEvent('lookup:choose', { bubbles: true, cancelable: true, detail: item })
		if (!input.dispatchEvent(event)) return
		if (isSite(input)) {
			location.assign('/items/' + window.inAddress(item.item_no))
			return
		}
		input.value = item.item_no
		input.dispatchEvent(new Event('change', { bubbles: true }))
	}

	// ---- what sets it off ----

	const lookupField = (e) => (e.target instanceof HTMLInputElement && 'lookup' in e.target.dataset ? e.target : null)

	document.querySelectorAll('input[data-lookup]').forEach(ready)
	document.addEventListener('focusin', (e) => {
		const input = lookupField(e)
		if (input) ready(input)
		if (field && input !== field) close()
	})
	document.addEventListener('focusout', (e) => { if (e.target === field) close() })
	document.addEventListener('input', (e) => {
		const input = lookupField(e)
		if (input && e.isTrusted) ask(input)
	})
	document.addEventListener('submit', close)
	document.addEventListener('keydown', (e) => {
		const input = lookupField(e)
		if (!input || e.isComposing || e.ctrlKey || e.metaKey) return
		const open = !box.hidden && field === input
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			if (e.altKey && e.key === 'ArrowUp') return close()
			if (!open) {
				// in a table of rows the arrows lead to the next row
				if (input.value.trim() === '' || (!isSite(input) && !e.altKey)) return
				e.preventDefault()
				return ask(input)
			}
			if (items.length === 0) return
			e.preventDefault()
			// past the end stands the field itself, with nothing marked
			const n = items.length + 1
			mark((at + 1 + (e.key === 'ArrowDown' ? 1 : -1) + n) % n - 1)
		} else if (e.key === 'Enter' && open && at >= 0) {
			e.preventDefault()
			choose(items[at])
		} else if (e.key === 'Escape' && open) {
			// closes the list; a second one is the browser's, which empties the field
			e.preventDefault()
			e.stopPropagation()
			close()
		}
	}, true)
	// the field keeps the focus while the list is pointed at
	box.addEventListener('mousedown', (e) => e.preventDefault())
	box.addEventListener('click', (e) => {
		const li = e.target.closest('[role=option]')
		if (li) choose(items[[...list.children].indexOf(li)])
	})
	window.addEventListener('scroll', (e) => { if (!box.contains(e.target)) place() }, { capture: true, passive: true })
	window.addEventListener('resize', place)
	window.visualViewport?.addEventListener('resize', place)
	window.addEventListener('pagehide', close)
})()
