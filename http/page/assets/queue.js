// The desk's list of orders: waiting times that go on, ticking many, and
// deciding from the list. The page works without it.
(() => {
	'use strict'

	// ---- how long an order waits ----

	// The server says the seconds as it rendered them; from then on this
	// computer's clock counts, whatever time it shows.
	const since = new WeakMap() // element → {at, said}
	function words(seconds) { // the words of waited() in desk_order.go
		const minutes = Math.floor(seconds / 60)
		if (minutes < 1) return 'now'
		if (minutes < 60) return `${minutes} min`
		if (minutes < 10 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
		if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`
		return `${Math.floor(minutes / (24 * 60))} days`
	}
	function tick(fresh) {
		for (const el of document.querySelectorAll('[data-waited]')) {
			const said = Number(el.dataset.waited)
			let seen = since.get(el)
			if (!seen || seen.said !== said || fresh) since.set(el, seen = { said, at: Date.now() })
			const text = words(said + (Date.now() - seen.at) / 1000)
			if (el.textContent !== text) el.textContent = text
		}
	}

	// ---- ticking ----

	const boxes = () => [...document.querySelectorAll('input[name=order][form=approve]')]
	function count() {
		const all = boxes()
		const n = all.filter((b) => b.checked).length
		const every = document.getElementById('tick-all')
		if (every) {
			every.checked = n > 0 && n === all.length
			every.indeterminate = n > 0 && n < all.length
		}
		const button = document.getElementById('approve-ticked')
		if (!button || button.dataset.words) return // it is being sent
		button.lastChild.textContent = n > 0 ? `Approve ${n} ticked` : 'Approve ticked'
		button.disabled = n === 0
	}
	document.addEventListener('change', (e) => {
		if (e.target.id === 'tick-all') {
			for (const box of boxes()) {
				if (box.checked === e.target.checked) continue
				box.checked = e.target.checked
				box.dispatchEvent(new Event('input', { bubbles: true })) // live.js keeps what was touched
			}
			count()
		} else if (e.target.name === 'order') {
			count()
		}
	})

	// ---- deciding from the list ----

	document.addEventListener('htmx:afterRequest', (e) => {
		if (e.detail.successful) e.target.closest?.('[popover]')?.hidePopover()
	})

	document.addEventListener('live:changed', (e) => {
		if (e.target.id !== 'desk-orders') return
		tick(true)
		count()
	})
	document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') tick(false) })
	window.addEventListener('pageshow', (e) => { if (e.persisted) tick(false) })
	setInterval(() => tick(false), 5_000)
	tick(true)
	count()
})()
