// Progressive enhancement of every page. Each part listens on the document, so
// what htmx or a live update puts into the page works without being told.
// Nothing here is needed to read or to order.
(() => {
	'use strict'
	const root = document.documentElement
	const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? ''
	const words = JSON.parse(document.getElementById('live-words')?.textContent || '{}')

	document.addEventListener('click', (e) => { if (e.target.closest('[data-print]')) window.print() })
	// what is printed, by a button or the browser's own menu, stands in the audit log
	addEventListener('beforeprint', () => navigator.sendBeacon('/printed', new URLSearchParams({ page: location.pathname + location.search })))

	// inAddress writes a number of the ERP as one part of an address, as
	// portal.InAddress does: "A/B 1" is "~A~2FB~201".
	window.inAddress = (number) => {
		const dots = /^\.*$/.test(number)
		if (!dots && number !== 'new' && /^[\w.-]+$/.test(number)) return number
		const part = (byte) => {
			const c = String.fromCharCode(byte)
			return !dots && /[\w.-]/.test(c) ? c : '~' + byte.toString(16).toUpperCase().padStart(2, '0')
		}
		return '~' + [...new TextEncoder().encode(number)].map(part).join('')
	}

	// ---- toasts ----

	// toast({text, kind, about, undo: {url, values, label}}) shows a message for
	// six seconds, longer while it is pointed at or holds the focus. What is
	// about the same thing takes the place of the one before.
	function toast({ text, kind = '', about = '', undo = null }) {
		const box = document.getElementById('toasts')
		if (!box || !text) return
		const note = document.createElement('div')
		note.className = 'toast-note ' + (kind === 'danger' ? 'danger' : '')
		note.dataset.about = about
		const span = document.createElement('span')
		span.textContent = text
		note.append(span)
		if (undo?.url && window.htmx) {
			const button = document.createElement('button')
			button.type = 'button'
			button.className = 'undo'
			button.textContent = undo.label || words.undo
			button.addEventListener('click', () => {
				window.htmx.ajax('POST', undo.url, { values: undo.values || {}, swap: 'none' })
				note.remove()
			})
			note.append(button)
		}
		if (about) for (const old of [...box.children]) if (old.dataset.about === about) old.remove()
		while (box.children.length >= 4) box.firstChild.remove()
		box.append(note)
		settle(note)
	}

	// settle gives a toast its close button and its end.
	function settle(note) {
		const close = document.createElement('button')
		close.type = 'button'
		close.setAttribute('aria-label', words.close || 'Close')
		close.textContent = '×'
		close.addEventListener('click', () => note.remove())
		note.append(close)
		const end = () => {
			if (note.matches(':hover, :focus-within')) setTimeout(end, 1000)
			else note.remove()
		}
		setTimeout(end, 6000)
	}

	// announce has screen readers say it.
	function announce(text) {
		const box = document.getElementById('announce')
		if (!box || !text) return
		const p = document.createElement('p')
		p.textContent = text
		box.append(p)
		setTimeout(() => p.remove(), 10_000)
	}

	document.querySelectorAll('[data-toast]').forEach((note) => {
		announce(note.textContent)
		settle(note)
	})
	// An answer with the header HX-Trigger: {"toast": {"text": "…"}} ends here,
	// and so do the live script's messages.
	document.addEventListener('toast', (e) => {
		const detail = typeof e.detail?.value === 'string' ? { text: e.detail.value } : e.detail ?? {}
		if (!detail.quiet) toast(detail)
		announce(detail.text)
	})

	// A notice that came while the page is open is a toast, too: the live script
	// has fetched it into the frame.
	let newest = Number(document.getElementById('frame-notices')?.dataset.notice ?? 0)
	document.addEventListener('live:changed', (e) => {
		if (e.target.id !== 'frame-notices') return
		const id = Number(e.target.dataset.notice)
		if (id > newest) {
			const text = e.target.querySelector('[data-notice-text]')?.textContent
			if (text) { // without one the page tells it by another way
				toast({ text, about: 'notice' })
				announce(text)
			}
		}
		newest = Math.max(newest, id)
	})

	// ---- keys and menus ----

	document.addEventListener('keydown', (e) => {
		if (e.key === '/' && !e.ctrlKey && !e.metaKey && !e.altKey && !e.target.closest('input, textarea, select, [contenteditable]')) {
			const search = document.getElementById('search')
			if (search) {
				e.preventDefault()
				search.focus()
				search.select()
			}
		}
		if (e.key === 'Escape') {
			const menu = e.target.closest?.('details.menu[open]') ?? document.querySelector('details.menu[open]')
			if (menu) {
				menu.open = false
				menu.querySelector('summary').focus()
			}
		}
	})
	document.addEventListener('click', (e) => {
		document.querySelectorAll('details.menu[open]').forEach((menu) => { if (!menu.contains(e.target)) menu.open = false })
	})

	// ---- theme ----

	const chosen = () => { try { return localStorage.getItem('theme') || 'auto' } catch { return 'auto' } }
	function showTheme() {
		const theme = chosen()
		if (theme === 'auto') delete root.dataset.bsTheme
		else root.dataset.bsTheme = theme
		document.querySelectorAll('[data-theme-set]').forEach((b) => b.setAttribute('aria-pressed', String(b.dataset.themeSet === theme)))
	}
	document.addEventListener('click', (e) => {
		const button = e.target.closest('[data-theme-set]')
		if (!button) return
		try {
			if (button.dataset.themeSet === 'auto') localStorage.removeItem('theme')
			else localStorage.setItem('theme', button.dataset.themeSet)
		} catch { /* for this page only, then */ }
		showTheme()
	})
	window.addEventListener('storage', (e) => { if (e.key === 'theme') showTheme() })
	if (chosen() !== 'auto') showTheme()

	// ---- steppers, and fields that send their form ----

	document.addEventListener('click', (e) => {
		const button = e.target.closest('[data-step]')
		const input = button?.closest('.stepper')?.querySelector('input')
		if (!input || input.disabled) return
		// what can be read in two ways, or has a unit beside it, is the server's to read
		const text = input.value.trim()
		if (!/^\d*([.,]\d{0,2}|[.,]\d{4,6})?$/.test(text)) return input.focus()
		const by = Number(button.dataset.step)
		const min = input.dataset.min ? Number(input.dataset.min) : -Infinity
		const max = input.dataset.max ? Number(input.dataset.max) : Infinity
		// six decimals are what a quantity may have
		const next = Math.min(max, Math.max(min, Math.round((Number(text.replace(',', '.') || 0) + by) * 1e6) / 1e6))
		// three decimals could be thousands
		const shown = String(next).replace(/(\.\d{3})$/, '$10')
		if (shown === input.value) return
		input.value = shown
		input.dispatchEvent(new Event('input', { bubbles: true }))
		input.dispatchEvent(new Event('change', { bubbles: true }))
	})

	const waiting = new WeakMap()
	document.addEventListener('change', (e) => {
		const field = e.target.closest('[data-submit-on-change]')
		if (!field?.form) return
		clearTimeout(waiting.get(field.form))
		waiting.set(field.form, setTimeout(() => field.form.requestSubmit(), field.inputMode === 'decimal' ? 400 : 0))
	})

	// ---- what is sent is what stands on the page ----

	// A quantity typed a moment ago may not be saved yet. The form of a cart tells
	// it as it stands in its box, so that no other one is ordered for it.
	const units = (text) => text.trim().replace(',', '.').replace(/^(\d+)(\.\d*?)0*$/, '$1$2').replace(/\.$/, '')
	document.addEventListener('formdata', (e) => {
		const shown = e.formData.get('shown')
		const rows = document.querySelectorAll('#cart-lines form:has([name=mode])')
		if (!shown || rows.length === 0) return
		let lines = JSON.parse(shown)
		let typed = false
		for (const row of rows) {
			const [item, uom, box] = ['item_no', 'uom', 'qty'].map((name) => row.elements.namedItem(name))
			const qty = units(box.value)
			const line = lines.find((l) => l[0] === item.value && l[1] === uom.value)
			if (!line || line[2] === qty || !/^\d+(\.\d+)?$/.test(qty)) continue
			line[2] = qty
			typed = true
		}
		if (typed) e.formData.set('shown', JSON.stringify(lines.filter((l) => Number(l[2]) !== 0)))
	})

	// ---- one submit is one submit ----

	// A form that leaves the page has its buttons disabled. One that htmx sends
	// keeps them, since a disabled button loses the keyboard's focus; a second
	// submit is swallowed either way.
	const buttonsOf = (form, which) => [
		...form.querySelectorAll(which),
		...(form.id ? document.querySelectorAll(`${which}[form="${CSS.escape(form.id)}"]`) : []),
	]
	const sent = new WeakSet() // forms that htmx has really sent
	function say(button, text) {
		if (!button?.dataset.busy || button.dataset.words) return
		button.dataset.words = button.textContent
		button.textContent = text
	}
	function ready(form) {
		form.removeAttribute('aria-busy')
		delete form.dataset.busy
		for (const b of buttonsOf(form, '[data-busy-off]')) {
			b.disabled = false
			delete b.dataset.busyOff
		}
		for (const b of buttonsOf(form, '[data-words]')) {
			b.textContent = b.dataset.words
			delete b.dataset.words
		}
	}
	// capture: before htmx takes the event
	document.addEventListener('submit', (e) => {
		const form = e.target
		if (form.getAttribute('method')?.toLowerCase() !== 'post') return
		if ('busy' in form.dataset) {
			e.preventDefault()
			e.stopImmediatePropagation()
			return
		}
		const byHtmx = form.matches('[hx-post], [hx-put], [hx-patch], [hx-delete]')
		form.dataset.busy = ''
		// after the browser has read the form: a disabled button sends no value
		setTimeout(() => {
			if (byHtmx ? !sent.has(form) : e.defaultPrevented) return ready(form) // taken back
			if (!('busy' in form.dataset)) return // answered already
			form.setAttribute('aria-busy', 'true')
			say(e.submitter, e.submitter?.dataset.busy)
			if (byHtmx) return
			for (const b of buttonsOf(form, 'button:not([type=button]):not(:disabled)')) {
				b.disabled = true
				b.dataset.busyOff = ''
			}
			// a download or a lost connection leaves the page standing
			setTimeout(() => ready(form), 15_000)
		}, 0)
	}, true)
	document.addEventListener('htmx:beforeSend', (e) => sent.add(e.target))
	document.addEventListener('htmx:afterRequest', (e) => {
		sent.delete(e.target)
		if (e.target.nodeName === 'FORM') ready(e.target)
	})
	window.addEventListener('pageshow', (e) => {
		if (e.persisted) document.querySelectorAll('form[data-busy]').forEach(ready)
	})

	// ---- stars change at once, and back if the server refuses ----

	function flip(form) {
		const button = form.querySelector('button')
		const on = button.getAttribute('aria-pressed') !== 'true'
		button.setAttribute('aria-pressed', String(on))
		form.querySelector('[name=on]').value = on ? '0' : '1'
	}
	document.addEventListener('htmx:beforeSend', (e) => { if (e.target.matches?.('form.star')) flip(e.target) })
	document.addEventListener('htmx:afterRequest', (e) => { if (e.target.matches?.('form.star') && !e.detail.successful) flip(e.target) })
	document.addEventListener('htmx:sendError', () => toast({ text: 'No connection. Nothing was changed.', kind: 'danger' }))

	// ---- typed text survives errors, log-out and lost connections ----

	// Kept in this tab only, under who typed it; passwords and hidden fields
	// never. A form is forgotten once the page after its submit shows no error.
	const who = meta('who')
	const store = {
		get: (key) => { try { return JSON.parse(sessionStorage.getItem(key)) } catch { return null } },
		set: (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)) } catch { /* full or forbidden */ } },
		drop: (key) => { try { sessionStorage.removeItem(key) } catch { /* forbidden */ } },
	}
	const keyOf = (form) => `keep:${who}:${form.dataset.keep}`
	const fieldsOf = (form) => [...form.elements].filter((f) => f.name && !['password', 'hidden', 'file', 'submit', 'button', 'radio'].includes(f.type))
	// what the form showed as it was opened goes with what was typed over it
	const openedWith = (form) => [...form.elements].filter((f) => f.type === 'hidden' && 'untilSaved' in f.dataset)
	const valueOf = (f) => (f.type === 'checkbox' ? f.checked : f.value)
	document.addEventListener('input', (e) => {
		const form = e.target.form
		if (!form?.dataset.keep || !who) return
		const typed = store.get(keyOf(form)) ?? {}
		const f = e.target
		if (!fieldsOf(form).includes(f)) return
		typed[f.name] = valueOf(f)
		for (const h of openedWith(form)) typed[h.name] ??= h.value
		store.set(keyOf(form), typed)
	})
	document.addEventListener('submit', (e) => {
		if (e.target.dataset.keep && who && !e.target.matches('[hx-post]')) store.set('kept', [...(store.get('kept') ?? []), keyOf(e.target)])
	})
	document.addEventListener('htmx:afterRequest', (e) => {
		const form = e.target.closest?.('form[data-keep]')
		if (form && e.detail.successful) store.drop(keyOf(form))
	})
	if (who) {
		if (!document.querySelector('[data-errors]')) (store.get('kept') ?? []).forEach(store.drop)
		store.drop('kept')
		for (const form of document.querySelectorAll('form[data-keep]')) {
			const typed = store.get(keyOf(form))
			if (!typed) continue
			for (const h of openedWith(form)) {
				if (document.querySelector('[data-errors]')) typed[h.name] = h.value // told by now
				else h.value = typed[h.name] ?? h.value
				store.set(keyOf(form), typed)
			}
			for (const f of fieldsOf(form)) {
				if (!(f.name in typed) || valueOf(f) === typed[f.name]) continue
				if (f.type === 'checkbox') f.checked = typed[f.name]
				else f.value = typed[f.name]
				f.dispatchEvent(new Event('input', { bubbles: true }))
			}
		}
	}

	// The summary of errors is where a reader must begin.
	document.querySelector('[data-errors]')?.focus()
})()
