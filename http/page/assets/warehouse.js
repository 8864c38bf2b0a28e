// The warehouse's pick screen: a scanner is a quick typist that ends with
// Enter. What it reads, wherever the focus is, goes to the server, one code
// after the other; the answer is shown large and said aloud. Without this
// script every button still works as a form.
(() => {
	'use strict'
	const say = document.getElementById('pick-say')
	if (!say) return

	// ---- what came of a step ----

	function tell(text, kind) {
		say.className = 'pick-say ' + kind
		// the same words again are news as well; a tab that lies behind others
		// gets no animation frame
		say.textContent = ''
		setTimeout(() => { say.textContent = text })
		document.body.classList.remove('pick-wrong')
		if (kind === 'wrong') {
			void document.body.offsetWidth // or the browser would not begin anew
			document.body.classList.add('pick-wrong')
		}
	}

	function mark(step) {
		const line = document.getElementById('pick-line-' + step.line)
		if (!line) return
		line.querySelector('.pick-now').textContent = step.picked
		// what this page did itself it has seen
		for (const f of document.querySelectorAll('input[name=stamp]')) if (f.value === step.stamp_before) f.value = step.stamp
		line.classList.remove('pulse')
		void line.offsetWidth
		line.classList.add('pulse')
		line.scrollIntoView({ block: 'nearest' })
	}

	// One after the other, in the order scanned.
	let last = Promise.resolve()
	function send(action, values) {
		last = last.then(async () => {
			try {
				const answer = await fetch(action, {
					method: 'POST', credentials: 'same-origin', body: new URLSearchParams(values),
					headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(20_000),
				})
				if (answer.status === 401) return location.assign('/login?next=' + encodeURIComponent(location.pathname))
				const said = await answer.json()
				if (answer.ok) {
					mark(said)
					tell(said.message, Number(said.picked) >= Number(said.wanted) ? 'full' : 'good')
				} else tell(said.message, 'wrong')
			} catch {
				tell('No connection. Nothing was counted.', 'wrong')
			}
			if (document.documentElement.dataset.live !== 'open') document.dispatchEvent(new CustomEvent('live', { detail: { value: 'order' } }))
		})
		return last
	}

	document.addEventListener('submit', (e) => {
		const form = e.target
		if (!('pick' in form.dataset)) return
		e.preventDefault()
		const values = Object.fromEntries(new FormData(form))
		if ('code' in values) {
			form.reset()
			if (!values.code.trim()) return
		}
		send(form.action, values)
	})

	// ---- the scanner ----

	const QUICK = 60 // milliseconds between two keys: no hand is as quick over a whole code
	const LEAST = 4 // characters of a code
	let code = ''
	let began = null // the field that took the keys
	let before = '' // what stood in it
	let at = 0
	const typed = (el) => el instanceof HTMLInputElement || el instanceof HTMLTextAreaElement
	const known = (text) => {
		// as the server compares barcodes, as far as it matters here: blanks, zeros, case
		const bare = (c) => c.toLowerCase().replace(/[\s\u200b\ufeff-]/g, '').replace(/^0+/, '')
		return [...document.querySelectorAll('[data-codes]')].some((el) => el.dataset.codes.split('\n').some((c) => c && bare(c) === bare(text)))
	}
	// capture: before a field or a button takes the key
	document.addEventListener('keydown', (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return
		const now = performance.now()
		if (e.key === 'Enter') {
			const scanned = code
			code = ''
			if (scanned.length < LEAST || now - at > QUICK) return
			const field = typed(began) ? began : null
			// a tracking number or a substitute is scanned into its own field; an
			// item of this order is counted wherever the cursor was left
			if (field && field.id !== 'pick-code' && !known(scanned)) return
			const form = document.querySelector('form.pick-scan')
			if (!form) return
			e.preventDefault()
			e.stopImmediatePropagation()
			if (field) {
				field.value = field.id === 'pick-code' ? '' : before
				field.dispatchEvent(new Event('input', { bubbles: true }))
			}
			send(form.action, { code: scanned })
			return
		}
		if (e.key.length !== 1) return
		if (now - at > QUICK || !code) {
			code = ''
			began = e.target
			before = typed(e.target) ? e.target.value : ''
		}
		code += e.key
		at = now
		// a scan begins a shortcut or presses a button nowhere
		if (code.length > 1 && !typed(e.target)) {
			e.preventDefault()
			e.stopImmediatePropagation()
		}
	}, true)
})()
