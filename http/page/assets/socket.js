// The browser's end of the live websocket: reconnects, finds out that nobody
// answers any more, and lets the tabs of one log-in share one socket, where the
// browser has Web Locks and BroadcastChannel. Without them each page has its
// own. What a page does with what it hears is live.js.
//
// A page begins with a socket of its own, after the position its data was read
// at, so nothing that was committed since is missed. If another tab leads, that
// is, holds the lock, the page asks it to watch its items as well, hears both
// for a few seconds, and then closes its own. From then on it follows. When the
// leader leaves, the browser gives the lock to the next, which connects with the
// position that the frames have brought it to. Events are told twice at worst;
// the page knows them by their id. See docs/decisions/0007-tabs-share-a-socket.md.
(() => {
	'use strict'

	// Milliseconds. The server sends a frame every 30 s at the latest.
	const LIMITS = {
		tick: 5000, // how often it is looked
		silence: 45_000, // without a frame: the connection is dead
		doubt: 35_000, // the same, where something says that it may be
		late: 10_000, // a timer by so much: the machine has slept
		overlap: 5000, // of a page's own socket and the leader's
		quiet: 10_000, // of a leader, before a page that is seen asks whether it lives
		answer: 2000, // that it has to say so
		rolls: 60_000, // how often a leader asks who is there
		kept: 60_000, // an item's event, for a page that comes to show it
	}
	// As much as the server takes of one socket; it closes on more.
	const MOST_TOPICS = 5000
	const MOST_LETTERS = 120_000 // of the frame's 256 KB, none of which need be ASCII
	const MOST_FRAMES = 500 // remembered
	const fits = (list) => list.length <= MOST_TOPICS && list.join().length <= MOST_LETTERS

	const hidden = () => document.visibilityState === 'hidden'

	const CLOSED = { sessionEnded: 4001, notAllowed: 4003, tooSlow: 4008, restarting: 1012 }

	window.liveBackoff = (n) => Math.min(15_000, 250 * 2 ** Math.min(n, 7)) * (0.5 + Math.random() / 2)

	// liveSocket opens it. address is where; session whose pages may share it;
	// cursor where the page stands, '' where that is not known. page has
	//   topics()      the items that it shows, sorted
	//   state(s)      connecting, open or lost
	//   events(list)  what happened, some of it perhaps once more
	//   look(again)   something was missed, or may have been: fetch everything
	//   blocked()     no socket comes through, or the session is not this page's
	//   ended(on)     the session is over; on: not for this page, ever
	window.liveSocket = (address, session, cursor, page) => {
		const limits = { ...LIMITS, ...window.liveLimits }
		const me = Math.random().toString(36).slice(2)
		const name = `live 1 ${address} ${session}` // 1: of what the tabs say to each other
		const mayShare = session !== '' && 'BroadcastChannel' in window && Boolean(navigator.locks)

		// alone: has its own socket; lead: others hear it, too; follow: has none
		let role = 'alone'
		let away = true // the page is hidden in the browser's cache, frozen or gone
		let over = false

		// ---- its own socket ----

		let socket = null
		let greeted = false
		let opened = false // the page was connected before, in whatever way
		let tries = 0
		let retry = 0
		let sent = null // the watch list that the server has
		let heard = Date.now() // a clock that goes on while the machine sleeps

		function connect() {
			clearTimeout(retry)
			retry = 0
			if (over || away || socket || role === 'follow') return
			page.state(opened ? 'lost' : 'connecting')
			const url = new URL(address, location.href)
			url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
			if (session) url.searchParams.set('session', session)
			if (cursor) url.searchParams.set('after', cursor)
			const s = new WebSocket(url)
			socket = s
			sent = null
			heard = Date.now()
			s.onmessage = (e) => {
				if (socket !== s) return
				let frame
				try { frame = JSON.parse(e.data) } catch { return }
				if (frame.hello) greet(frame.hello)
				else if (role === 'lead') post({ frame })
				else if (channel) remember(frame)
				hear(frame, true)
			}
			s.onclose = (e) => { if (socket === s) closed(e.code) }
		}

		function greet(hello) {
			greeted = true
			greetedAt = Date.now()
			recent = []
			torn = false
			tries = 0
			const known = cursor !== ''
			if (hello.cursor) cursor = hello.cursor
			const again = opened && !handed
			if (role === 'lead') post({ lead: me, again })
			handed = false
			watch()
			join()
			if (again || !known) page.look(again)
			opened = true
			page.state('open')
		}

		function hear(frame, moves) {
			heard = Date.now()
			if (moves && frame.cursor) cursor = frame.cursor
			if (frame.resync) page.look(false)
			const events = frame.events?.filter(concerns) ?? []
			if (events.length > 0) page.events(events)
		}

		// A shared socket hears of the items of all tabs. What this page does not
		// show is kept for a minute: should it come to show it, from an answer
		// that was made before, the server would not tell it again.
		let shown = new Set()
		const passed = new Map() // topic → { event, at }
		function concerns(event) {
			const topic = `${event.kind}:${event.ref}`
			if (event.kind !== 'item' || !event.ref || shown.has(topic)) return true
			passed.delete(topic) // the newest come last
			passed.set(topic, { event, at: Date.now() })
			if (passed.size > MOST_TOPICS) passed.delete(passed.keys().next().value)
			return false
		}
		function show(topics) {
			shown = new Set(topics)
			const late = topics.filter((t) => passed.has(t)).map((t) => passed.get(t).event)
			for (const t of topics) passed.delete(t)
			if (late.length > 0) page.events(late)
		}
		function forget() {
			for (const [topic, p] of passed) if (Date.now() - p.at > limits.kept) passed.delete(topic)
		}

		// Who takes the lead with a socket of its own tells the others what it has
		// heard of late: the one before may have stopped a little earlier.
		let recent = []
		let torn = false // something is missing in it
		let common = false // the socket began where the followers stood as well
		let greetedAt = 0
		function remember(frame) {
			const now = Date.now()
			recent.push({ frame, at: now })
			while (recent.length > MOST_FRAMES || now - recent[0].at > 2 * limits.overlap) {
				torn ||= common || recent.length > MOST_FRAMES
				recent.shift()
			}
		}

		function drop() {
			const s = socket
			socket = null
			greeted = joined = common = false
			recent = []
			clearTimeout(overlap)
			clearTimeout(retry)
			retry = 0
			s?.close() // of a dead connection it takes long; nobody waits for it
		}

		function closed(code) {
			const came = greeted
			drop()
			handed = false
			if (code === CLOSED.sessionEnded || code === CLOSED.notAllowed) return end(code)
			if (role === 'lead') post({ lost: me })
			page.state(opened ? 'lost' : 'connecting')
			tries++
			// Where no socket comes through, the page is still kept true, slower;
			// and a session that ended meanwhile is found out.
			if (!came && tries >= 2) page.blocked()
			const wait = code === CLOSED.restarting ? 200 + Math.random() * 1300 : code === CLOSED.tooSlow ? Math.random() * 300 : window.liveBackoff(tries)
			retry = setTimeout(connect, wait)
		}

		function end(code) {
			if (over) return
			if (role === 'lead') post({ over: code })
			if (code === CLOSED.notAllowed) {
				over = true
				leave()
				page.state('lost')
			}
			page.ended(over)
		}

		// ---- the tabs among themselves ----

		let channel = null
		let asking = null // for the lock: aborts it while it is not ours
		let release = null // gives the lock back
		let joined = false // the leader watches what this page shows
		let full = false // and could not
		let told = '' // the watch list that the leader has
		let overlap = 0
		let handed = false // the leader said that it goes: what it heard, we have heard
		let leaderless = false
		let leaderHidden = false
		let question = 0 // whether the leader lives
		const followers = new Map() // id → { list, rolls since its last word }

		const post = (message) => { channel?.postMessage(message) }

		function enter() {
			if (!mayShare || channel) return
			try {
				channel = new BroadcastChannel(name)
			} catch { return } // forbidden here
			channel.onmessage = (e) => { if (!away && !over) listen(e.data) }
			seek({})
		}

		function leave() {
			clearTimeout(question)
			question = 0
			post(role === 'lead' ? { bye: me } : { gone: me })
			role = 'alone'
			channel?.close()
			channel = null
			const ask = asking
			asking = null
			ask?.abort()
			release?.()
			release = null
			followers.clear()
			drop()
		}

		// seek asks for the lock, which is granted when nobody has it any more.
		function seek(how) {
			asking?.abort()
			const ask = asking = new AbortController()
			const options = how.steal ? how : { signal: ask.signal }
			navigator.locks.request(name, options, () => asking === ask && new Promise((done) => { release = done; lead() })).catch(() => {
				if (asking !== ask) return
				release = null
				if (role !== 'lead') { // there are no locks for us
					asking = null
					return
				}
				// Another tab had no answer from us and took it.
				role = 'alone'
				followers.clear()
				seek({})
				join()
			})
		}

		function lead() {
			const from = role
			const again = leaderless || torn || (!common && Date.now() - greetedAt < limits.overlap)
			role = 'lead'
			joined = leaderless = false
			clearTimeout(overlap)
			clearTimeout(question)
			question = 0
			if (greeted) post({ lead: me, again, frames: recent.map((r) => r.frame) })
			else {
				post({ roll: me })
				if (from === 'follow') connect()
			}
			recent = []
		}

		// join asks the leader to watch what this page shows. It does not
		// answer before its own socket is open.
		function join() {
			if (!channel || full || role === 'lead' || (role === 'alone' && !greeted)) return
			told = [...shown].join()
			post({ join: me, list: [...shown] })
		}

		function follow() {
			if (role !== 'alone' || !joined || !greeted) return
			if (leaderHidden && !hidden()) return seek({ steal: true })
			role = 'follow'
			drop()
		}

		// What the server replayed to a leader that comes after another may be
		// behind what its followers know, never ahead; so anybody's frames are
		// taken, and a position only where no own socket has a better one.
		function listen(m) {
			if (m.frame || m.lead || m.pong || m.lost || m.roll || m.joined) { // a leader's word
				clearTimeout(question)
				question = 0
				leaderless = false
				if (role === 'follow') heard = Date.now()
			}
			if (m.joined || m.pong) leaderHidden = Boolean(m.hidden)
			if (m.bye) handed = role === 'follow' || (role === 'lead' && !greeted)
			if ((m.bye || m.lost) && role === 'alone') { // not yet, then
				joined = false
				clearTimeout(overlap)
			}
			if (role === 'lead') {
				if (m.join) admit(m.join, m.list)
				else if (m.gone) followers.delete(m.gone) // the server hears of it with the next who comes
				else if (m.ping) {
					if (m.check) check()
					report()
				}
				return
			}
			if (m.frame && (role === 'follow' || joined)) hear(m.frame, role === 'follow')
			else if (m.over) end(m.over)
			else if (m.roll) join()
			else if (m.joined === me) {
				joined = true
				if (role === 'alone') {
					clearTimeout(overlap)
					overlap = setTimeout(follow, limits.overlap)
				}
				prefer(m)
			} else if (m.full === me) {
				full = true
				alone()
			} else if (m.lead) {
				if (role === 'follow' || joined) for (const f of m.frames ?? []) hear(f, role === 'follow')
				if (role === 'follow') {
					handed = false
					if (m.again) page.look(true)
					page.state('open')
				}
				join()
			} else if (role === 'follow' && (m.lost || m.pong)) {
				page.state(m.open ? 'open' : 'lost')
				prefer(m)
			}
		}

		const report = () => post({ pong: me, open: greeted, hidden: hidden() })

		// A page that is seen leads, rather than one that is not: browsers slow
		// down the timers of those, and phones stop them altogether.
		function prefer(m) {
			if (!m.hidden || hidden()) return
			if (role === 'follow') {
				handed = true
				alone()
			} else if (role === 'alone' && greeted && common) seek({ steal: true })
		}

		function admit(id, list) {
			followers.delete(id) // who comes last goes first
			followers.set(id, { list, rolls: 0 })
			if (!greeted) return // all are asked again when it is
			tellServer()
			if (followers.has(id)) post({ joined: id, hidden: hidden() })
		}

		function makeRoom() {
			for (const id of [...followers.keys()].reverse()) {
				if (fits(union())) return
				followers.delete(id)
				post({ full: id })
			}
		}

		// alone gives the page its own socket again, for good or for a while.
		function alone() {
			joined = false
			clearTimeout(overlap)
			if (role !== 'follow') return
			role = 'alone'
			common = true
			connect()
		}

		const union = () => [...new Set([...shown, ...[...followers.values()].flatMap((f) => f.list)])].sort()

		// watch is called when the page shows something else.
		function watch() {
			show(page.topics())
			tellServer()
			if ((role === 'follow' || joined) && [...shown].join() !== told) join()
		}

		function tellServer() {
			if (!greeted || socket?.readyState !== WebSocket.OPEN) return
			if (role === 'lead') makeRoom()
			let list = (role === 'lead' ? union() : [...shown]).slice(0, MOST_TOPICS)
			while (!fits(list)) list = list.slice(0, list.length >> 1)
			const text = JSON.stringify({ watch: list })
			if (text === sent) return // an empty list is told as well: what comes onto it later is new
			sent = text
			socket.send(text)
		}

		// A leader that does not answer is frozen, or hangs: its followers are
		// not to wait for it. One of them takes the lock from it.
		function ask(check) {
			if (question) return
			post({ ping: me, check })
			question = setTimeout(() => {
				question = 0
				leaderless = true
				handed = false
				alone()
				setTimeout(() => { if (leaderless && !away && role === 'alone') seek({ steal: true }) }, Math.random() * limits.answer / 2)
			}, limits.answer)
		}

		// ---- whether the other end still lives ----

		let ticked = Date.now()
		let rolled = Date.now()
		setInterval(() => {
			const now = Date.now()
			const slept = now - ticked - limits.tick > limits.late
			ticked = now
			if (away || over) return
			if (slept) check()
			else silent(limits.silence)
			if (role === 'follow' && !hidden() && now - heard > limits.quiet) ask(false)
			forget()
			if (role === 'lead' && now - rolled > limits.rolls) {
				rolled = now
				for (const [id, f] of followers) if (++f.rolls > 2) followers.delete(id)
				tellServer()
				post({ roll: me })
			}
		}, limits.tick)

		function silent(limit) {
			if (Math.abs(Date.now() - heard) <= limit) return
			if (role === 'follow') return ask(true)
			if (!socket) return
			drop()
			if (role === 'lead') post({ lost: me })
			connect()
		}

		// check is called where something says that the connection may be dead,
		// or may work again.
		function check() {
			if (away || over) return
			silent(limits.doubt)
			if (role === 'follow') ask(true)
			else if (!socket) {
				tries = 0
				connect()
			}
		}

		function start() {
			if (!away) return check()
			away = false
			heard = ticked = Date.now()
			tries = 0
			enter()
			connect()
		}

		function stop() {
			if (away) return
			away = true
			leave()
		}

		window.addEventListener('online', check)
		window.addEventListener('offline', () => {
			// the closing handshake would wait for an answer that cannot come
			if (away || over || role === 'follow') return
			drop()
			if (role === 'lead') post({ lost: me })
			page.state('lost')
			retry = setTimeout(connect, window.liveBackoff(4))
		})
		// A page in the browser's cache must hold neither socket nor lock.
		window.addEventListener('pagehide', stop)
		window.addEventListener('pageshow', (e) => { if (e.persisted) start() })
		document.addEventListener('freeze', stop)
		document.addEventListener('resume', start)
		document.addEventListener('visibilitychange', () => {
			if (!hidden()) start()
			else if (role === 'lead') report()
		})

		start()
		return { watch }
	}
})()
