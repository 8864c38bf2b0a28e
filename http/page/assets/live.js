// Keeps the page true: hears over a websocket (socket.js) what changed, fetches
// the page once more and morphs the regions that show it. What a region shows it
// says itself: <tbody id="orders" data-live="order access">. See html/kit.tmpl.
// A page that nobody sees is fetched when it is seen.
(() => {
	'use strict'
	const root = document.documentElement
	const meta = (name, doc = document) => doc.querySelector(`meta[name="${name}"]`)?.content ?? ''
	const address = meta('live-url')
	if (!address) return
	const words = JSON.parse(document.getElementById('live-words')?.textContent || '{}')
	const page = () => meta('live-page') || location.pathname + location.search
	// A form that is leaving this page knows better where to: what it did may be
	// why the session is over.
	const leave = (go) => { document.querySelector('form[data-busy]:not([hx-post])') ? setTimeout(go, 5000) : go() }
	const toLogin = () => leave(() => location.assign('/login?next=' + encodeURIComponent(page())))

	// ---- regions ----

	// A topic is "kind" or "kind:reference", the reference percent-encoded.
	function topicsOf(el, attribute) {
		return el.getAttribute(attribute).split(/\s+/).filter(Boolean).map((t) => {
			const at = t.indexOf(':')
			if (at < 0) return { kind: t, ref: '' }
			let ref = t.slice(at + 1)
			try { ref = decodeURIComponent(ref) } catch { /* was not encoded */ }
			return { kind: t.slice(0, at), ref }
		})
	}
	// An event without a reference is about all of its kind; one of the
	// catalogue stands for many items at once.
	const concerns = (event, topic) =>
		(topic.kind === event.kind || (event.kind === 'catalog' && topic.kind === 'item')) &&
		(!topic.ref || !event.ref || topic.ref === event.ref || topic.kind !== event.kind)
	const regions = () => [...document.querySelectorAll('[id][data-live]')]
	const regionsOf = (event) => regions().filter((el) => topicsOf(el, 'data-live').some((t) => concerns(event, t)))

	// ---- what the reader has typed stays ----

	const touched = new WeakSet()
	document.addEventListener('input', (e) => touched.add(e.target))
	document.addEventListener('reset', (e) => { for (const f of e.target.elements) touched.delete(f) })
	document.addEventListener('htmx:afterRequest', (e) => {
		const form = e.target.closest?.('form')
		if (form && e.detail.successful) for (const f of form.elements) if (f !== document.activeElement) touched.delete(f)
	})
	const owed = new Set() // regions with a form that was being sent
	document.addEventListener('htmx:afterRequest', () => {
		const ids = [...owed]
		owed.clear()
		refresh(ids, 0)
	})
	const isField = (n) => n instanceof HTMLInputElement || n instanceof HTMLTextAreaElement || n instanceof HTMLSelectElement

	function morph(el, fresh) {
		const pulsing = new Set()
		window.Idiomorph.morph(el, fresh, {
			morphStyle: 'outerHTML',
			ignoreActiveValue: true,
			callbacks: {
				beforeNodeMorphed(old, next) {
					if (!(old instanceof Element)) return true
					if (isField(old) && old.type !== 'hidden' && next.nodeName === old.nodeName && (touched.has(old) || (old === document.activeElement && old.type !== 'checkbox'))) return false
					// what the form showed as it was opened is what its typed values are compared with
					if (isField(old) && old.type === 'hidden' && 'untilSaved' in old.dataset && [...(old.form?.elements ?? [])].some((f) => touched.has(f))) return false
					if (!old.matches('form[data-busy]')) return true
					owed.add(el.id)
					return false
				},
				beforeAttributeUpdated(name, el) {
					// what the reader opened stays open
					if (name === 'open' && (el.nodeName === 'DETAILS' || el.nodeName === 'DIALOG')) return false
					if (name === 'data-status') pulsing.add(el)
					return true
				},
			},
		})
		for (const status of pulsing) {
			status.classList.remove('pulse')
			void status.offsetWidth // or the browser would not begin anew
			status.classList.add('pulse')
		}
	}

	// ---- fetching what changed ----

	const ALL = Symbol('all')
	const pending = new Set() // regions' ids, or ALL
	let timer = 0
	let due = 0
	let running = false
	let failures = 0

	const hidden = () => document.visibilityState === 'hidden'

	function refresh(what, delay) {
		for (const id of what) pending.add(id)
		if (pending.size === 0 || hidden()) return
		const at = performance.now() + delay
		if (running || (timer && due <= at)) return
		clearTimeout(timer)
		due = at
		timer = setTimeout(run, delay)
	}

	async function run() {
		timer = 0
		running = true
		const wanted = new Set(pending)
		pending.clear()
		try {
			const answer = await fetch(page(), {
				headers: { 'X-Live': '1', Accept: 'text/html' }, credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(20_000),
			})
			if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === '/login')) return toLogin()
			// what this page showed is gone, or no longer ours: the page itself says it best
			if ([403, 404, 410].includes(answer.status)) return leave(() => location.replace(page()))
			if (!answer.ok) throw new Error(`status ${answer.status}`)
			const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
			// Somebody else has logged in since: nothing of theirs comes into this page.
			if (meta('live-session', fresh) !== meta('live-session')) return leave(() => location.replace(page()))
			apply(fresh, wanted)
			armDay(fresh)
			failures = 0
			settled()
		} catch (err) {
			failures++
			for (const id of wanted) pending.add(id)
			console.warn('live:', err)
			showLost()
		} finally {
			running = false
		}
		if (pending.size > 0) refresh([], failures ? window.liveBackoff(failures) : 0)
	}

	function apply(fresh, wanted) {
		const changing = regions().filter((el) => wanted.has(ALL) || wanted.has(el.id))
		for (const el of changing) {
			if (!el.isConnected) continue
			// a region inside another that changes as well comes along with it
			if (changing.some((other) => other !== el && other.contains(el))) continue
			const next = fresh.getElementById(el.id)
			if (next) morph(el, next)
			else if (meta('live-page')) {
				// the page answers a form: what it showed is not to be had again
				leave(() => location.replace(page()))
				return
			} else el.remove()
			const now = document.getElementById(el.id)
			if (now) {
				window.htmx?.process(now)
				now.dispatchEvent(new CustomEvent('live:changed', { bubbles: true }))
			}
		}
		watch()
	}

	// ---- prices go by dates: when the company's day ends, look again ----

	let dayTimer = 0
	function armDay(doc) {
		const seconds = Number(doc.querySelector('meta[name="live-day-ends"]')?.content)
		if (!(seconds > 0)) return
		clearTimeout(dayTimer)
		dayTimer = setTimeout(() => refresh([ALL], 0), seconds * 1000 + Math.random() * 1000)
	}

	// ---- telling ----

	const MOST_UNTOLD = 200
	const told = new Map() // order → status last told
	let own = 0 // when this tab last sent something
	const sentByUs = () => { own = Date.now(); try { sessionStorage.setItem('live-own', String(own)) } catch { /* forbidden */ } }
	document.addEventListener('submit', sentByUs, true)
	document.addEventListener('htmx:beforeSend', (e) => { if (e.detail.requestConfig?.verb !== 'get') sentByUs() })
	try { own = Number(sessionStorage.getItem('live-own')) || 0 } catch { /* forbidden */ }

	// What happened while nobody saw the page is told when it is seen: of a
	// document that moved several times, the last.
	const untold = new Map()
	function keep(events) {
		for (const e of events) {
			if (words.kinds?.[e.kind]) untold.set(`${e.kind}:${e.ref}:${e.status ? 'status' : ''}`, e)
			if (untold.size > MOST_UNTOLD) untold.delete(untold.keys().next().value)
		}
	}
	function tellKept() {
		tell([...untold.values()])
		untold.clear()
	}

	function tell(events) {
		if (hidden()) return keep(events)
		const texts = []
		for (const e of events) {
			const form = words.kinds?.[e.kind]
			if (!form) continue
			if (e.kind === 'order' || e.kind === 'credit') {
				if (!e.status || told.get(e.ref) === e.status) continue
				told.set(e.ref, e.status)
			}
			// staff hear all customers: only of what their page is about
			if (document.body.classList.contains('desk') && !regions().some((el) => topicsOf(el, 'data-live').some((t) => t.kind === e.kind && t.ref === e.ref))) continue
			const text = form.replace('{ref}', () => e.ref ?? '').replace('{status}', () => words.status?.[e.status] ?? e.status ?? '').replace(/\s+/g, ' ').trim()
			if (!texts.some((t) => t.text === text)) texts.push({ text, about: `${e.kind}:${e.ref ?? ''}` })
		}
		const quiet = Date.now() - own < 1000
		const say = texts.length > 3 ? [{ text: words.many.replace('{n}', texts.length), about: 'many' }] : texts
		for (const detail of say) document.dispatchEvent(new CustomEvent('toast', { detail: { ...detail, quiet } }))
	}

	// ---- the socket ----

	const seen = new Set()
	let live = null

	function isNew(id) {
		if (id === undefined) return true
		if (seen.has(id)) return false
		seen.add(id)
		if (seen.size > 5000) seen.delete(seen.values().next().value)
		return true
	}

	function topics() {
		const items = new Set()
		for (const el of document.querySelectorAll('[data-watch]')) {
			for (const t of topicsOf(el, 'data-watch')) items.add(t.ref ? `${t.kind}:${t.ref}` : t.kind)
		}
		return [...items].sort()
	}
	const watch = () => live?.watch()

	function happened(list) {
		const events = list.filter((e) => isNew(e.id))
		if (events.length === 0) return
		const near = new Set()
		const wide = new Set()
		for (const e of events) {
			const to = e.kind === 'item' || e.kind === 'catalog' || e.kind === 'notice' ? wide : near
			for (const el of regionsOf(e)) to.add(el.id)
		}
		if (near.size > 0) refresh(near, 30)
		// everybody hears of these at once; they need not all ask at once
		if (wide.size > 0) refresh(wide, 30 + Math.random() * 220)
		tell(events)
	}

	function state(s) {
		root.dataset.live = s
		if (s !== 'open') return armLost()
		clearTimeout(lostTimer)
		lostTimer = 0
		settled()
	}

	function ended(forPage) {
		if (!forPage) return toLogin()
		clearTimeout(lostTimer)
	}

	// ---- the banner ----

	const banner = document.getElementById('live-banner')
	let hideTimer = 0
	let lostTimer = 0
	function armLost() {
		lostTimer ||= setTimeout(showLost, 1500)
	}
	function showBanner(text, back) {
		if (!banner) return
		clearTimeout(hideTimer)
		banner.classList.toggle('back', back)
		const changed = banner.hidden || banner.firstElementChild.textContent !== text
		banner.firstElementChild.textContent = text
		banner.hidden = false
		if (changed) document.dispatchEvent(new CustomEvent('toast', { detail: { text, quiet: true } }))
	}
	function showLost() { showBanner(words.lost, false) }
	// settled: connected, and what the page shows was fetched since.
	function settled() {
		if (!banner || banner.hidden || root.dataset.live !== 'open' || pending.size > 0) return
		showBanner(words.back, true)
		hideTimer = setTimeout(() => { banner.hidden = true }, 2000)
	}

	// ---- what else sets it off ----

	window.addEventListener('pagehide', () => {
		clearTimeout(lostTimer)
		lostTimer = 0
		if (banner) banner.hidden = true
	})
	document.addEventListener('visibilitychange', () => {
		if (hidden()) return
		refresh([], 0)
		tellKept()
	})
	document.addEventListener('htmx:afterSettle', watch)
	// An answer with the header HX-Trigger: {"live": "cart favorite"} asks for it.
	document.addEventListener('live', (e) => {
		const kinds = String(e.detail?.value ?? '').split(/\s+/).filter(Boolean)
		refresh(new Set(kinds.flatMap((kind) => regionsOf({ kind })).map((el) => el.id)), 0)
	})
	// Without a socket a change made here would not show by itself.
	document.addEventListener('htmx:afterRequest', (e) => {
		if (root.dataset.live !== 'open' && e.detail.successful && e.detail.requestConfig?.verb !== 'get') refresh([ALL], 0)
	})

	armDay(document)
	live = window.liveSocket(address, meta('live-session'), meta('live-cursor'), {
		topics, state, ended,
		events: happened,
		look: (again) => refresh([ALL], again ? Math.random() * 200 : 30),
		blocked: () => refresh([ALL], 0),
	})
})()
