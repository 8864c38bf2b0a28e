// Counts down to the instants that a page names: <time class="countdown"
// data-countdown="2026-07-02T15:00:00-04:00" data-now="…">, the kit's piece
// "countdown". The instant stays as it stands; how much is left is written
// beside it, into the .left that the style sheet keeps room for. data-now is
// the server's clock when it wrote the page, so a wrong clock here does no
// harm. At zero the region around is fetched anew.
(() => {
	'use strict'
	const MINUTE = 60_000
	const HOUR = 60 * MINUTE
	const DAY = 24 * HOUR
	const state = new WeakMap() // element → {key, shift, before, tries}
	let timer = 0

	const many = (n, one, more) => `${n} ${n === 1 ? one : more}`

	// words never say more than there is.
	function words(left, quiet) {
		if (left <= 0) return quiet ? 'now' : 'closed'
		if (left < MINUTE) return 'less than a minute left'
		if (left < HOUR) return `${Math.floor(left / MINUTE)} min left`
		if (left < DAY) return `${Math.floor(left / HOUR)} h ${Math.floor(left % HOUR / MINUTE)} min left`
		const days = Math.floor(left / DAY)
		const hours = Math.floor(left % DAY / HOUR)
		return `in ${many(days, 'day', 'days')}` + (days < 2 && hours > 0 ? ` ${hours} h` : '')
	}

	function stateOf(el, now) {
		const key = `${el.dataset.countdown} ${el.dataset.now ?? ''}`
		let s = state.get(el)
		if (s?.key === key) return s
		const server = Date.parse(el.dataset.now ?? '')
		s = { key, end: Date.parse(el.dataset.countdown), shift: Number.isNaN(server) ? 0 : server - now, before: null, tries: s?.tries ?? 0 }
		state.set(el, s)
		return s
	}

	function say(text) {
		document.dispatchEvent(new CustomEvent('toast', { detail: { text, quiet: true } }))
	}

	// again asks for the region once its time is up: spread, since all pages of
	// a route reach the same instant, and later each time it did not help.
	function again(el, s) {
		const region = el.closest('[id][data-live]')
		const wait = Math.random() * 2000 + Math.min(60_000, s.tries > 0 ? 1000 * 2 ** s.tries : 200)
		s.tries++
		setTimeout(() => {
			if (!el.isConnected || !region) return
			const kinds = region.dataset.live.split(/\s+/).map((t) => t.split(':')[0]).join(' ')
			document.dispatchEvent(new CustomEvent('live', { detail: { value: kinds } }))
			setTimeout(() => {
				// unchanged: the answer was the same, or there was none
				if (el.isConnected && stateOf(el, Date.now()) === s) again(el, s)
			}, 5000)
		}, wait)
	}

	function tick() {
		clearTimeout(timer)
		timer = 0
		const now = Date.now()
		let next = Infinity
		for (const el of document.querySelectorAll('[data-countdown]')) {
			const s = stateOf(el, now)
			if (Number.isNaN(s.end)) continue
			const left = s.end - (now + s.shift)
			let box = el.querySelector('.left')
			if (!box) {
				box = document.createElement('span')
				box.className = 'left'
				el.append(' ', box)
			}
			const quiet = 'quiet' in el.dataset // no cutoff: nothing to hurry for
			const text = words(left, quiet)
			if (box.textContent !== text) box.textContent = text
			el.classList.toggle('soon', left < HOUR)
			// a screen reader hears of it twice, not every minute
			if (!quiet && s.before !== null && s.before > 15 * MINUTE && left <= 15 * MINUTE && left > 0) say('15 minutes left to order.')
			if (left <= 0) {
				if (!quiet && s.before !== null && s.before > 0) say('The cutoff has passed.')
				if (s.before === null || s.before > 0) again(el, s)
			} else {
				s.tries = 0
				next = Math.min(next, left < MINUTE ? left : left % MINUTE || MINUTE)
			}
			s.before = left
		}
		if (next < Infinity) timer = setTimeout(tick, next + 20)
	}

	// A morph writes the page's text over ours: put it back before it is seen.
	for (const name of ['live:changed', 'htmx:afterSettle', 'visibilitychange']) document.addEventListener(name, tick)
	window.addEventListener('pageshow', tick)
	tick()
})()
